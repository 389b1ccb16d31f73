import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { createApp } from './app.setup';
import { dataDirectory } from './config/data-directory';
import { readEnvironment } from './config/environment';
import { parseSettings, type Settings, SettingsError } from './config/settings';
import { createLogger } from './logging/logger';

async function main(): Promise<void> {
  const settings = parseSettings(readEnvironment());
  const logger = createLogger(settings);
  const app = await createApp(settings, logger);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      app.close().then(() => process.exit(0), fail);
    });
  }
  try {
    await app.listen(settings.PORT);
  } catch (error) {
    await app.close();
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new SettingsError([
          `PORT ${String(settings.PORT)} is in use: stop what listens there, or choose another`,
        ])
      : error;
  }
  announce(app, settings, logger);
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

function fail(error: unknown): never {
  // The settings may be what is wrong, and the logger is made of them.
  console.error(error instanceof SettingsError ? error.message : error);
  process.exit(1);
}

main().catch(fail);
