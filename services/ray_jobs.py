"""Ray's job API, over HTTP: submit, ask, stop. The control plane is no Ray driver."""

from ray.job_submission import JobStatus, JobSubmissionClient

_ALIVE = (JobStatus.PENDING, JobStatus.RUNNING)


class RayJobs:
    """The jobs of one cluster, at the address of its dashboard."""

    def __init__(self, address: str) -> None:
        self._client = JobSubmissionClient(address)

    def alive(self) -> set[str]:
        """Ids of the jobs that are pending or running."""
        return {
            str(job.submission_id) for job in self._client.list_jobs() if job.submission_id and job.status in _ALIVE
        }

    def submit(self, job_id: str, command: str) -> None:
        """Submit a job under an id of our own, so that submitting it twice starts it once."""
        self._client.submit_job(entrypoint=command, submission_id=job_id)

    def stop(self, job_id: str) -> None:
        self._client.stop_job(job_id)

    def last_lines(self, job_id: str, count: int) -> str:
        """The end of a job's log; empty where Ray does not know the job (any more)."""
        try:
            return "\n".join(self._client.get_job_logs(job_id).strip().splitlines()[-count:])
        except RuntimeError:
            return ""
