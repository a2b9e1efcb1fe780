# docs/container.md says how to build and run it, on a GPU too.
# The base is Python 3.13.15 on Debian trixie, the newest Python for which every package has a wheel;
# another with Python 3.11 to 3.13, its venv module and apt will do.
ARG BASE_IMAGE=docker.io/library/python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
FROM ${BASE_IMAGE}

# tini: forwards signals to the whole group, reaps orphans. The other two are OpenCV's.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# Dependencies in a layer of their own. On Linux torch's wheel brings CUDA, so that a card needs
# only its driver, which NVIDIA's container runtime mounts when it sees these two variables.
ENV PATH=/opt/venv/bin:$PATH \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY envs/requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/venv \
    && pip install --no-cache-dir --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

# HOME and the mounts are writable for any user id, USER names ids that no password file knows.
# .snakemake, which knows what is up to date, lives with the results and outlasts the container.
ENV HOME=/home/maskedteeth USER=maskedteeth PYTHONUNBUFFERED=1
WORKDIR /work
RUN useradd --uid 1000 --create-home --home-dir $HOME maskedteeth \
    && mkdir results data \
    && ln -s results/.snakemake .snakemake \
    && chmod 1777 $HOME results data

COPY . .
ARG IMAGE_NAME=maskedteeth
ARG GIT_COMMIT=
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# image.json is what run.json tells about the image: its name, the commit, and a digest of all code and
# packages in it. The digest of the image itself is only known when it is built (docs/container.md).
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && python -m compileall -q workflow \
    && content=$({ find . -type f ! -name '*.pyc' ! -path '*.egg-info/*' -print0 \
            | LC_ALL=C sort -z | xargs -0 sha256sum \
        && dpkg-query --show && python --version && pip freeze --exclude-editable; } \
        | sha256sum | cut -c1-64) \
    && printf '{"name": "%s", "commit": "%s", "content": "sha256:%s"}\n' "$IMAGE_NAME" "$GIT_COMMIT" "$content" \
        > /opt/venv/image.json
LABEL org.opencontainers.image.title="maskedteeth" \
      org.opencontainers.image.revision="${GIT_COMMIT}"

USER maskedteeth
VOLUME ["/work/results", "/work/data"]
ENTRYPOINT ["tini", "-s", "-g", "--", "/work/envs/entrypoint.sh"]
CMD ["--configfile", "config/demo.yaml", "--logger", "rich"]
