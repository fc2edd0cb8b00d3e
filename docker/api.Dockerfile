# The control plane: API, page, controller, migrations; and optuna-dashboard. No torch and no Ray: it talks to Ray's job API over HTTP.
FROM python:3.11-slim-bookworm AS build

RUN apt-get update && apt-get install --yes --no-install-recommends binutils && python -m venv --without-pip /opt/seedleaf
# s3, gcs: for artifacts in object storage.
ARG EXTRAS
WORKDIR /build
COPY pyproject.toml constraints.txt docker/requirements.py ./
# matplotlib draws the plots of `seedleaf fetch`, on the user's machine. The package of weights tells the server which
# weights the workers have.
RUN python requirements.py dashboard pretrained $EXTRAS -matplotlib -timm -huggingface-hub > requirements.txt \
    && python -m pip --python /opt/seedleaf install --no-cache-dir --no-compile --requirement requirements.txt --constraint constraints.txt
# Of plotly plotly.js alone is served, with ONNX Runtime only predicted, and its C library is a second copy of what Python loads.
RUN cd /opt/seedleaf/lib/python3.11/site-packages \
    && rm -r plotly/graph_objs plotly/labextension plotly/validators plotly/package_data/widgetbundle.js \
        onnxruntime/capi/libonnxruntime.so.* onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
    && find . -type d -name tests -prune -exec rm -r {} + \
    && find . -name "*.so" -not -path "*.libs/*" -exec strip --strip-unneeded {} +
COPY . .
# The import leaves the bytecode of what the server uses; that of all packages is 80 MB.
RUN python -m pip --python /opt/seedleaf install --no-cache-dir --no-compile --no-deps . \
    && cd / && /opt/seedleaf/bin/python -c "import api.server.serve, onnxruntime"

FROM python:3.11-slim-bookworm

COPY --from=build /opt/seedleaf /opt/seedleaf
COPY docker/healthcheck.py /usr/local/lib/
RUN useradd --uid 1000 --no-create-home seedleaf \
    && install --directory --owner seedleaf /var/lib/seedleaf /var/lib/seedleaf/artifacts /var/lib/seedleaf/checkpoints
ENV HOME=/tmp SEEDLEAF_HOME=/var/lib/seedleaf PATH=/opt/seedleaf/bin:$PATH
WORKDIR /var/lib/seedleaf
USER seedleaf
CMD ["seedleaf", "up", "--host", "0.0.0.0"]
