# Ryzen in a container: no compiler and no ffmpeg inside, no root, state in /state, music in /music.
#   docker build -t ryzen . && docker run --env-file .env -v ryzen-state:/state -v /my/music:/music:ro ryzen

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/ryzen
COPY requirements.txt ./
# pyaes, a need of kurigram's, comes as source: it is pure Python and needs no compiler.
RUN /opt/ryzen/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY ryzen ryzen
# The package itself: its needs are all there already, so nothing unpinned comes along.
RUN cp -r ryzen /opt/ryzen/lib/python3.11/site-packages/ryzen \
    && rm -rf /opt/ryzen/lib/python3.11/site-packages/ryzen/sandbox \
    && /opt/ryzen/bin/python -m compileall -q /opt/ryzen/lib/python3.11/site-packages/ryzen

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 1000 --create-home ryzen \
    && install -d -o ryzen -g ryzen /state /music
COPY --from=build /opt/ryzen /opt/ryzen
ENV PATH=/opt/ryzen/bin:$PATH PYTHONUNBUFFERED=1 STATE_DIR=/state MUSIC_DIR=/music
# By number, so that an orchestrator can see that it is not root.
USER 1000
WORKDIR /state
VOLUME /state
# SIGTERM drains: the calls are left, then the process ends with 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "ryzen"]
CMD ["run"]
