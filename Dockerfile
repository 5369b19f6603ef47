# One image for all providers: Node on Alpine, one bundled file, the shipped rules. No package manager is
# needed to run it, and nothing in it is written to but the volume /data.
#
#   docker build -t keywright .
#   docker run -p 9890:9890 -v keywright:/data --env-file keywright.env --read-only keywright
#
# Each step is proven without a container engine by scripts/prove-dockerfile.ts.

FROM node:24-alpine AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without scripts: what is fetched here builds, it does not run anything of its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY scripts scripts
COPY src src
COPY rules rules
COPY schema schema
COPY samples samples
COPY scenarios scenarios
RUN node scripts/build.ts && rm -rf dist/lambda && mkdir data

FROM node:24-alpine
LABEL org.opencontainers.image.title="Keywright" \
      org.opencontainers.image.description="Payment webhooks to Cryptlex licenses, by rules in YAML" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    RULES_DIR=/app/rules \
    DATABASE_URL=sqlite:/data/keywright.db \
    LOG_FORMAT=json
WORKDIR /app
COPY --from=build /build/dist ./
COPY --from=build --chown=node:node /build/data /data
# A number, so that Kubernetes can see that it is not root; 1000 is the image's user "node".
USER 1000:1000
VOLUME ["/app/rules", "/data"]
EXPOSE 9890
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD wget -q -O /dev/null "http://127.0.0.1:${PORT:-9890}/healthz" || exit 1
ENTRYPOINT ["node", "bin/keywright.mjs"]
CMD ["serve"]
