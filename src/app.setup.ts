import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { AppModule } from './app.module';
import type { Settings } from './config/settings';
import { signingKeys } from './config/signing-keys';
import { ServiceDataSource } from './database/data-source';
import { limitDatabaseWait } from './database/patience';
import { corsOptions } from './http/cors';
import { refuseHead } from './http/refused-head';
import { refuseTrailingSlash, stripRootPath } from './http/root-path';
import { securityHeaders } from './http/security-headers';
import { ServiceAdapter } from './http/service.adapter';
import { NestLogger } from './logging/nest-logger';
import { requestLog } from './logging/request-log';
import { RequestMetrics } from './metrics/request-metrics';
import { SecurityMetrics } from './metrics/security-metrics';
import { HashQueue } from './password/hash-queue';
import { servePage } from './page/page';
import { serveOpenApi } from './openapi/document';
import { useNestForRules } from './validation/container';

/**
 * The whole service, ready to listen.
 *
 * @throws SettingsError when the settings do not allow a start
 */
export async function createApp(
  settings: Settings,
  logger: Logger,
): Promise<NestExpressApplication> {
  const keys = signingKeys(settings);
  if (keys.warning !== undefined) logger.warn(keys.warning);
  const dataSource = await ServiceDataSource.open(settings, logger, { serving: true });
  try {
    const app = await NestFactory.create<NestExpressApplication>(
      AppModule.forRoot(settings, keys, dataSource),
      new ServiceAdapter(servePage(settings.ROOT_PATH)),
      { abortOnError: false, bodyParser: false, logger: new NestLogger(logger) },
    );
    app.set('trust proxy', settings.trustProxy);
    app.use(stripRootPath(settings.ROOT_PATH));
    app.use(requestLog(logger));
    if (settings.isMeasured) {
      app.use(app.get(RequestMetrics).observe);
      app.get(SecurityMetrics).listenTo(logger);
    }
    app.use(securityHeaders);
    if (settings.corsOrigins.length > 0) app.enableCors(corsOptions(settings.corsOrigins));
    app.use(limitDatabaseWait, refuseHead, refuseTrailingSlash);
    app.get(HashQueue).start();
    useNestForRules(app);
    serveOpenApi(app, settings);
    return app;
  } catch (error) {
    await dataSource.release();
    throw error;
  }
}
