"""The answers of a study's teacher, as the jobs read them from the artifact store."""

from services.records.studies import Study
from services.storage.artifacts import ArtifactStore
from workers.teacher.answers import TeacherAnswers


def taught_by(study: Study, artifacts: ArtifactStore) -> TeacherAnswers | None:
    """None where the study has no teacher. ArtifactError or AnswersError if the file is missing or damaged."""
    sha256 = study.teacher_answers_sha256
    return None if sha256 is None else TeacherAnswers.from_bytes(artifacts.get(sha256))
