"""Ray's job API, over HTTP: submit, ask, stop. The control plane is no Ray driver."""

_ALIVE = ("PENDING", "RUNNING")


class RayJobs:
    """The jobs of one cluster, at the address of its dashboard."""

    def __init__(self, address: str) -> None:
        # Ray reads how it authenticates when it is imported: services.local has to set that first.
        from ray.job_submission import JobSubmissionClient

        self._client = JobSubmissionClient(address)

    def alive(self) -> set[str]:
        """Ids of the jobs that are pending or running."""
        return {
            str(job.submission_id)
            for job in self._client.list_jobs()
            if job.submission_id and str(job.status) in _ALIVE
        }

    def submit(self, job_id: str, command: str) -> None:
        """Submit a job under an id of our own, so that submitting it twice starts it once."""
        self._client.submit_job(entrypoint=command, submission_id=job_id)

    def stop(self, job_id: str) -> None:
        self._client.stop_job(job_id)

    def log(self, job_id: str) -> str:
        """A job's log; empty where Ray does not know the job (any more)."""
        try:
            return str(self._client.get_job_logs(job_id))
        except RuntimeError:
            return ""
