import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { createApp } from './app.setup';
import { dataDirectory } from './config/data-directory';
import { readEnvironment } from './config/environment';
import { parseSettings, type Settings } from './config/settings';
import { StartError } from './config/start-error';
import { stopServing } from './http/stop-serving';
import { createLogger } from './logging/logger';
import { safeError } from './logging/safe-error';

async function main(): Promise<void> {
  const stop = stopSignal();
  const settings = parseSettings(readEnvironment());
  const logger = createLogger(settings);
  const app = await createApp(settings, logger);
  try {
    await app.listen(settings.PORT);
    announce(app, settings, logger);
    await stop;
    await stopServing(app.getHttpServer(), settings.DRAIN_SECONDS * 1000);
  } catch (error) {
    throw listenError(error, settings) ?? error;
  } finally {
    await app.close();
  }
}

/** Settled when the service is told to stop, however early and however often that is. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
}

function listenError(error: unknown, { PORT }: Settings): StartError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== 'listen') return undefined;
  const why =
    code === 'EADDRINUSE' ? 'is in use: stop what listens there' : `is refused (${String(code)})`;
  return new StartError(`PORT ${String(PORT)} ${why}, or choose another`);
}

/** Tells whoever started the service where everything is. */
function announce(app: NestExpressApplication, settings: Settings, logger: Logger): void {
  // A server that listens on a port has an address, and no path.
  const { port } = app.getHttpServer().address() as AddressInfo;
  const api = `http://localhost:${String(port)}${settings.ROOT_PATH}`;
  const { INSTANCE_HOST, DB_NAME } = settings;
  logger.info(`API            ${api}`);
  logger.info(`Documentation  ${api}/docs`);
  logger.info(
    `Data           ${settings.embedded ? dataDirectory(settings) : `${INSTANCE_HOST}, database ${DB_NAME}`}`,
  );
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    // The settings may be what is wrong, and the logger is made of them.
    console.error(error instanceof StartError ? error.message : safeError(error));
    process.exit(1);
  },
);
