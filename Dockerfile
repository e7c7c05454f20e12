# Gala's image: every program of it, `gala <program>`. It holds the bundle, the CNI shim, and nothing else of this project:
#   npm ci && npm run build && docker build -t <registry>/gala:<version> .
# docs/operations/image.md tells more; a test assembles what is copied here and runs it.
ARG BASE=node:24.21.0-slim
# Has a C compiler; of it nothing gets into the image but what the next stage makes.
ARG TOOLS=node:24.21.0

FROM $TOOLS AS shim
WORKDIR /shim
COPY lib/network/shim/ /shim/
RUN gcc -std=gnu11 -Os -static -s -o gala shim.c json.c
RUN gcc -std=gnu11 -Os -static -s -o gala-probe probe.c frames.c json.c
RUN gcc -std=gnu11 -Os -static -s -o gala-wire wire.c

FROM $BASE

LABEL org.opencontainers.image.title="gala" \
      org.opencontainers.image.description="The programs of Gala: gala scheduler, gala controller, and gala for the terminal." \
      org.opencontainers.image.licenses="Apache-2.0"

# What `gala cni` wires pods by: ip and tc.
RUN apt-get update && apt-get install -y --no-install-recommends iproute2 && rm -rf /var/lib/apt/lists/*

COPY LICENSE package.json /opt/gala/
COPY build/bin/ /opt/gala/build/bin/
# Its imports are relative to where it stands, so it keeps its place; without `.js` it is called as people call it.
COPY --chmod=0755 lib/cli/gala.js /opt/gala/lib/cli/gala
# What `gala cni` puts into the hosts' /opt/cni/bin.
COPY --from=shim --chmod=0755 /shim/gala /opt/gala/cni/gala
# What `gala cni` asks on the wire with: Node.js has no raw sockets.
COPY --from=shim --chmod=0755 /shim/gala-probe /opt/gala/cni/gala-probe
# What `gala cni` starts ip and tc by: from Node.js each start would take milliseconds in which it does nothing else.
COPY --from=shim --chmod=0755 /shim/gala-wire /opt/gala/cni/gala-wire
ENV PATH=/opt/gala/lib/cli:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Room for young objects: V8's own 16 MiB a half costs a program that follows 50,000 pods 150 MiB, and no time is won by it
# (npm run bench -- scheduling, "memory").
ENV NODE_OPTIONS=--max-semi-space-size=4

# As distroless images number `nonroot`, and as the pods are rendered.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["gala"]
