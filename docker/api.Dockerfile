# The control plane: API, page, controller, migrations; and optuna-dashboard. No torch and no Ray: it talks to Ray's job API over HTTP.
FROM python:3.11-slim-bookworm

WORKDIR /build
COPY pyproject.toml constraints.txt docker/requirements.py ./
# matplotlib draws the plots of `seedleaf fetch`, on the user's machine.
# Of plotly plotly.js alone is served; ONNX Runtime's C library is a second copy of what Python loads.
RUN python requirements.py dashboard -matplotlib > requirements.txt \
    && python -m pip install --no-cache-dir --no-compile --requirement requirements.txt --constraint constraints.txt \
    && cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && rm -r plotly/graph_objs plotly/package_data/widgetbundle.js onnxruntime/capi/libonnxruntime.so.* \
    && find . -type d -name tests -prune -exec rm -r {} +
COPY . .
# The import leaves the bytecode of what the server uses; that of all packages is 80 MB.
RUN python -m pip install --no-cache-dir --no-compile --no-deps . && rm -rf /build/* && python -c "import api.server, onnxruntime"

COPY docker/healthcheck.py /usr/local/lib/
RUN useradd --uid 1000 --no-create-home seedleaf \
    && install --directory --owner seedleaf /var/lib/seedleaf /var/lib/seedleaf/artifacts
ENV HOME=/tmp SEEDLEAF_HOME=/var/lib/seedleaf
WORKDIR /var/lib/seedleaf
USER seedleaf
CMD ["seedleaf", "up", "--host", "0.0.0.0"]
