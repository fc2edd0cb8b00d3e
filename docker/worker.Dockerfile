# Every Ray role: the dependencies alone. Seedleaf's code travels with each job.
# For machines without GPUs: --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu is 5 GB smaller.
FROM python:3.11-slim-bookworm

ARG PIP_EXTRA_INDEX_URL
# s3, gcs: for artifacts in object storage.
ARG EXTRAS
WORKDIR /build
COPY pyproject.toml constraints.txt docker/requirements.py ./
RUN python requirements.py workers pretrained $EXTRAS -matplotlib > requirements.txt \
    && python -m pip install --no-cache-dir --requirement requirements.txt --constraint constraints.txt

COPY docker/healthcheck.py /usr/local/lib/
# Folders that volumes are mounted on; a volume takes its owner from here. /tmp/seedleaf-1000 is the host's gate.
RUN useradd --uid 1000 --no-create-home seedleaf \
    && install --directory --owner seedleaf /var/lib/seedleaf /var/lib/seedleaf/artifacts /var/lib/seedleaf/cache \
        /var/lib/seedleaf/checkpoints /tmp/seedleaf-1000
ENV HOME=/tmp SEEDLEAF_HOME=/var/lib/seedleaf NO_ALBUMENTATIONS_UPDATE=1 RAY_USAGE_STATS_ENABLED=0
WORKDIR /var/lib/seedleaf
USER seedleaf
