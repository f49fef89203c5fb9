# One build, an image a program: docker build --target data-api|business-api|health-worker|telegram-bot|nginx .
#   DEBIAN_IMAGE    Debian 12 slim from your registry or mirror
#   DEBIAN_MIRROR   http(s) address of a mirror of Debian's packages, in place of the image's own
# The configured registries of npm and pip reach the build as NPM_CONFIG_REGISTRY and PIP_INDEX_URL; without either /docs is a plain list.
ARG DEBIAN_IMAGE=debian:12-slim

FROM ${DEBIAN_IMAGE} AS debian
ARG DEBIAN_MIRROR=""
RUN if [ -n "$DEBIAN_MIRROR" ]; then \
        printf 'deb %s bookworm main\ndeb %s bookworm-updates main\n' "$DEBIAN_MIRROR" "$DEBIAN_MIRROR" >/etc/apt/sources.list \
        && rm -f /etc/apt/sources.list.d/debian.sources; \
    fi

FROM debian AS tools
WORKDIR /src
COPY tools/install-deps.sh tools/
RUN tools/install-deps.sh --build && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends binutils python3-venv
COPY tools/lib.sh tools/

# By itself, so that another registry, or a second try, compiles nothing again: docker build --no-cache-filter swagger-ui
FROM tools AS swagger-ui
ARG NPM_CONFIG_REGISTRY=""
ARG PIP_INDEX_URL=""
COPY tools/swagger-ui.sh tools/
COPY core/http/docs/swagger-ui.sha256 core/http/docs/
RUN tools/swagger-ui.sh /out || mkdir -p /out/share/aimanager/swagger-ui

FROM tools AS build
# What is compiled and nothing else: a change of a script, a test or a sentence keeps the finished build.
COPY CMakeLists.txt CMakePresets.json ./
COPY tools/build.sh tools/
COPY tools/cmake tools/cmake/
COPY abi abi/
COPY core core/
COPY plugins plugins/
COPY services services/
RUN tools/build.sh release --no-install
COPY deploy/container/stage.sh deploy/container/
COPY sql sql/
RUN deploy/container/stage.sh build/release /out

# What every program needs. The user's number is fixed, so that volumes keep their owner.
FROM debian AS runtime
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates libssl3 libstdc++6 libspdlog1.10 libfmt9 \
        libprometheus-cpp-core1.0 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/aimanager --shell /usr/sbin/nologin aimanager \
    && install -d -o aimanager -g aimanager -m 750 /var/lib/aimanager /run/aimanager \
    && install -d -m 755 /plugins
COPY deploy/container/entrypoint.sh deploy/container/healthcheck.sh /usr/lib/aimanager/container/
ENV AIM_STATE_DIR=/var/lib/aimanager
USER aimanager
WORKDIR /var/lib/aimanager
ENTRYPOINT ["/usr/lib/aimanager/container/entrypoint.sh"]

FROM runtime AS data-api
USER root
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libpq5 libpistache0 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
USER aimanager
COPY --from=build /out/share/aimanager /usr/lib/aimanager/share/aimanager
COPY --from=swagger-ui /out/share/aimanager/swagger-ui /usr/lib/aimanager/share/aimanager/swagger-ui
COPY --from=build /out/bin/aimanager-data-api /usr/lib/aimanager/bin/
ENV DATA_API_HOST=0.0.0.0
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/lib/aimanager/container/healthcheck.sh", "8001", "/ready"]
CMD ["aimanager-data-api"]

# What both programs with plugins share.
FROM runtime AS plugins
COPY --from=build /out/plugins /usr/lib/aimanager/plugins
COPY --from=build /out/bin/aimanager /usr/lib/aimanager/bin/
ENV PLUGIN_PATH=/usr/lib/aimanager/plugins:/plugins

FROM plugins AS business-api
COPY --from=swagger-ui /out/share/aimanager/swagger-ui /usr/lib/aimanager/share/aimanager/swagger-ui
COPY --from=build /out/bin/aimanager-business-api /usr/lib/aimanager/bin/
ENV BUSINESS_API_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/lib/aimanager/container/healthcheck.sh", "8000", "/ready"]
CMD ["aimanager-business-api"]

FROM plugins AS health-worker
USER root
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libpistache0 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
USER aimanager
COPY --from=build /out/bin/aimanager-health-worker /usr/lib/aimanager/bin/
ENV HEALTH_WORKER_HOST=0.0.0.0
EXPOSE 8002
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/lib/aimanager/container/healthcheck.sh", "8002", "/health"]
CMD ["aimanager-health-worker"]

FROM runtime AS telegram-bot
USER root
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libpistache0 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
USER aimanager
COPY --from=build /out/bin/aimanager-telegram-bot /usr/lib/aimanager/bin/
ENV TELEGRAM_BOT_HOST=0.0.0.0
EXPOSE 8003
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/lib/aimanager/container/healthcheck.sh", "8003", "/health"]
CMD ["aimanager-telegram-bot"]

# Debian's nginx: the one that the tests run. A tmpfs over its folder belongs to root and gets this mode, whatever mode compose asks for.
FROM debian AS nginx
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --uid 10001 --no-create-home --home-dir /run/aimanager-nginx --shell /usr/sbin/nologin aimanager \
    && install -d -o aimanager -g aimanager -m 1777 /run/aimanager-nginx
COPY deploy/nginx/start.sh deploy/nginx/aimanager.conf.template /usr/lib/aimanager/nginx/
COPY deploy/container/healthcheck.sh /usr/lib/aimanager/container/
USER aimanager
EXPOSE 8000
# To nginx TERM means at once; QUIT lets streams under way end.
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/lib/aimanager/container/healthcheck.sh", "8000", "/nginx-health"]
CMD ["/usr/lib/aimanager/nginx/start.sh"]
