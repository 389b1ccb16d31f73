import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { createApp } from './app.setup';
import { dataDirectory } from './config/data-directory';
import { readEnvironment } from './config/environment';
import { parseSettings, type Settings } from './config/settings';
import { StartError } from './config/start-error';
import { HealthController } from './health/health.controller';
import { listenError } from './http/listen-error';
import { stopServing } from './http/stop-serving';
import { createLogger } from './logging/logger';
import { safeError } from './logging/safe-error';

/** What is left to do when nobody is served any more may take so long, and is not worth more. */
const CLOSE_MS = 4000;

/** @returns exit status */
async function main(): Promise<number> {
  const stop = stopSignal();
  const settings = parseSettings(readEnvironment());
  const logger = createLogger(settings);
  const broken = unexpectedError(logger);
  const app = await createApp(settings, logger);
  try {
    await app.listen(settings.PORT);
    announce(app, settings, logger);
    const status = await Promise.race([stop, broken]);
    app.get(HealthController).stopBeingReady();
    await stopServing(app.getHttpServer(), settings.DRAIN_SECONDS * 1000);
    return status;
  } catch (error) {
    throw listenError('PORT', settings.PORT, error) ?? error;
  } finally {
    // A database that does not answer does not answer a farewell either.
    await Promise.race([app.close(), delay(CLOSE_MS)]);
  }
}

/** Settled, with 0, when the service is told to stop, however early and however often that is. */
function stopSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve(0);
      });
    }
  });
}

/**
 * Settled, with 1, when something was thrown that no request has to do with, or a promise was broken
 * that nobody waits for. Nobody knows what works after that: the service stops in order, and whoever
 * runs it starts it anew.
 */
function unexpectedError(logger: Logger): Promise<number> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error, origin) => {
      logger.fatal({ origin, ...safeError(error) }, 'unexpected: the service stops');
      resolve(1);
    });
  });
}

/** Tells whoever started the service where everything is. */
function announce(app: NestExpressApplication, settings: Settings, logger: Logger): void {
  // A server that listens on a port has an address, and no path.
  const { port } = app.getHttpServer().address() as AddressInfo;
  const api = `http://localhost:${String(port)}${settings.ROOT_PATH}`;
  const { INSTANCE_HOST, DB_NAME, METRICS_HOST, METRICS_PORT } = settings;
  logger.info(`API            ${api}`);
  logger.info(`Documentation  ${api}/docs`);
  if (settings.mail === 'kept') logger.info(`Mailbox        ${api}/mailbox`);
  if (METRICS_PORT !== 0) {
    logger.info(`Metrics        http://${METRICS_HOST}:${String(METRICS_PORT)}/metrics`);
  }
  if (settings.mail === 'none') logger.warn('No mail is sent: SMTP_URL is empty');
  logger.info(
    `Data           ${settings.embedded ? dataDirectory(settings) : `${INSTANCE_HOST}, database ${DB_NAME}`}`,
  );
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    // The settings may be what is wrong, and the logger is made of them.
    console.error(error instanceof StartError ? error.message : safeError(error));
    process.exit(1);
  },
);
