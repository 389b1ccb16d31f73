# The service and the nginx before it, with the page. Each is a target of its own:
# docker build --target backend . and docker build --target nginx .

FROM node:24-bookworm-slim AS sources
WORKDIR /app
COPY package.json package-lock.json ./
COPY frontend/package.json frontend/
RUN npm ci --no-audit --no-fund
COPY . .

FROM sources AS build
RUN npx tsc -b tsconfig.build.json

FROM sources AS page
# Whatever modes the checkout has: nginx is not root, and must be able to read it.
RUN npm run build -w frontend && chmod -R a+rX frontend/dist

FROM node:24-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
# Neither what the page needs nor what only development does. The latter are optional peers of other
# packages too (TypeScript, SWC), which is why leaving out `dev` would not do; versions stay those
# of the lock file.
RUN npm pkg delete devDependencies workspaces \
  && npm install --no-audit --no-fund --omit=dev --omit=peer

FROM nginx:1.28-bookworm AS nginx
ENV NGINX_ENTRYPOINT_QUIET_LOGS=1
COPY --chmod=644 nginx.conf deploy/tls.conf /etc/nginx/
COPY --chmod=755 deploy/40-tls.sh deploy/50-follow-backend.sh /docker-entrypoint.d/
COPY --from=page /app/frontend/dist /usr/share/nginx/html
USER 101:101
EXPOSE 80 443
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --start-interval=1s \
  CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/"]

FROM node:24-bookworm-slim AS backend
ENV NODE_ENV=production
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --chmod=644 package.json ./
COPY --chmod=755 deploy/secrets.sh deploy/database-roles.sh deploy/
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8000}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
