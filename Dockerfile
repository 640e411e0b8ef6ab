# Neurite's images, one stage a part: relay, web and harness are what docker-compose.yml runs, the
# others build for them. Builds with and without BuildKit. Only Debian's packages and npm's are used.
#
# A file NAME.crt in docker/ca/ is trusted, for networks with a certificate authority of their own.
# Where Docker Hub is out of reach, scripts/local-base-image.sh makes this image.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS base
RUN echo "Neurite: building everything from source takes 10 to 20 minutes the first time"
COPY docker/ca/ /usr/local/share/ca-certificates/
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends ca-certificates >/dev/null \
    && update-ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt

# Compilers, npm, and the sources of the libraries that we compile ourselves.
FROM base AS build
WORKDIR /src
COPY scripts/install-packages.sh scripts/
RUN scripts/install-packages.sh native && rm -rf /var/lib/apt/lists/*
COPY scripts/deps.txt scripts/fetch-deps.sh scripts/
RUN scripts/fetch-deps.sh

# The libraries are compiled in a layer of their own, which a change of our sources leaves as it is.
FROM build AS native
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake/ cmake/
RUN cmake --preset release -DNEURITE_DEPS_ONLY=ON && cmake --build --preset release
COPY scripts/ scripts/
COPY test/ test/
COPY src/ src/
RUN cmake --preset release -DNEURITE_DEPS_ONLY=OFF -DNEURITE_BUILD_ID="$(scripts/build-id.sh)" \
    && cmake --build --preset release --target neurite rendezvous
# What they need when they run: the packages that hold the libraries they are linked with, and the
# plugin that libwebsockets loads for the relay.
RUN mkdir -p /out && cp build/release/neurite build/release/rendezvous /out/ \
    && ldd /out/neurite /out/rendezvous | sed -n 's/.*=> \([^ ]*\) .*/\1/p' | sort -u \
    | while read -r library; do dpkg -S "$(readlink -f "$library")" 2>/dev/null \
    || dpkg -S "$(readlink -f "$library" | sed 's#^/usr##')"; done \
    | sed 's/:.*//' | sort -u >/out/packages \
    && echo libwebsockets-evlib-ev >>/out/packages && cat /out/packages

FROM build AS wasm
RUN scripts/install-packages.sh wasm && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json tsconfig.base.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake/ cmake/
RUN cmake --preset wasm -DNEURITE_DEPS_ONLY=ON && cmake --build --preset wasm
COPY scripts/ scripts/
COPY test/ test/
COPY src/ src/
RUN cmake --preset wasm -DNEURITE_DEPS_ONLY=OFF -DNEURITE_BUILD_ID="$(scripts/build-id.sh)" \
    && cmake --build --preset wasm --target worker stamp_dendrite_wasm stamp_next_dendrite_wasm \
        stamp_foreign_dendrite_wasm \
    && scripts/collect-wasm.sh build/wasm /out

FROM base AS riot
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends nodejs npm git patch >/dev/null \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY scripts/build-riot.sh scripts/apply-riot-patches.sh scripts/
COPY riot-patches/package.json riot-patches/package-lock.json riot-patches/
RUN scripts/build-riot.sh packages
COPY riot-patches/ riot-patches/
RUN scripts/build-riot.sh

FROM base AS relay
COPY --from=native /out/packages /usr/local/share/neurite/packages
RUN apt-get -qq update \
    && xargs apt-get -qq install -y --no-install-recommends </usr/local/share/neurite/packages \
        >/dev/null \
    && rm -rf /var/lib/apt/lists/*
COPY --from=native /out/rendezvous /usr/local/bin/
COPY docker/healthy.sh /usr/local/bin/healthy
USER nobody
EXPOSE 9090
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=30 CMD ["healthy", "9090", "/"]
CMD ["rendezvous", "--port", "9090", "--host", "0.0.0.0"]

FROM base AS nats
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends nats-server >/dev/null \
    && rm -rf /var/lib/apt/lists/*
USER nobody
EXPOSE 4222
CMD ["nats-server", "-a", "0.0.0.0", "-p", "4222"]

FROM base AS web
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends nginx-light >/dev/null \
    && rm -rf /var/lib/apt/lists/* && mkdir -p /srv/wasm /var/lib/neurite \
    && chown www-data /var/lib/neurite
COPY --from=riot /src/build/riot /srv/riot
COPY --from=wasm /out/dendrite.wasm /out/dendrite_sw.js /srv/neurite/
COPY docker/healthy.sh /usr/local/bin/healthy
COPY web/ /usr/local/share/neurite/web/
ENV WEB_PORT=8080 RELAY_ADDR=relay:9090 RIOT_DIR=/srv/riot WASM_DIR=/srv/wasm \
    BUILTIN_DIR=/srv/neurite WORKER_JS=/srv/neurite/dendrite_sw.js
USER www-data
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=30 CMD ["healthy", "8080", "/healthz"]
CMD ["/usr/local/share/neurite/web/run-nginx.sh", "/var/lib/neurite"]

FROM base AS harness
WORKDIR /neurite
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium firefox-esr ffmpeg \
        fonts-dejavu-core fonts-noto-color-emoji nodejs npm util-linux >/dev/null \
    && rm -rf /var/lib/apt/lists/*
COPY --from=native /out/packages /usr/local/share/neurite/packages
RUN apt-get -qq update \
    && xargs apt-get -qq install -y --no-install-recommends </usr/local/share/neurite/packages \
        >/dev/null \
    && rm -rf /var/lib/apt/lists/* && useradd --create-home --uid 1000 harness
COPY harness/package.json harness/package-lock.json harness/
RUN cd harness && npm ci --ignore-scripts --no-audit --no-fund
COPY --from=native /out/neurite build/
COPY --from=wasm /out/next build/next
COPY --from=wasm /out/foreign build/foreign
COPY scripts/playwright-tap.mjs scripts/scenario.sh scripts/
COPY docker/harness.sh /usr/local/bin/harness
COPY test/client/ test/client/
COPY harness/ harness/
ENTRYPOINT ["harness"]
CMD ["once"]
