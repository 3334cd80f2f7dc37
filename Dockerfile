FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    ROUNDS_CHROMIUM=/usr/bin/chromium-headless-shell \
    ROUNDS_DATA=/var/lib/rounds \
    ROUNDS_HTTP_HOST=0.0.0.0 \
    ROUNDS_HTTP_PORT=9464
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates chromium-headless-shell fonts-dejavu-core tini \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /var/lib/rounds \
    && chown node:node /var/lib/rounds
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY . .
USER node
VOLUME /var/lib/rounds
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=3s --retries=6 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "cli/main.ts"]
CMD ["--help"]
