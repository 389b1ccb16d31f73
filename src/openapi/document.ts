import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import type { Settings } from '../config/settings';
import { ApiError } from '../errors/api-error';
import { BEARER_SCHEME, COOKIE_SCHEME, OAUTH2_SCHEME } from './decorators';

/** What the page of the documentation consists of. */
const PAGE_FILES =
  /^\/docs\/(swagger-ui\.css|swagger-ui-(bundle|standalone-preset|init)\.js|favicon-(16x16|32x32)\.png)$/;

const DESCRIPTION = `
Sign up, log in, and find out who a token speaks for.

Every path answers with and without the prefix of the server. Every error has the form
\`{"detail": ...}\`, in the language that \`Accept-Language\` asks for (\`ko\` or \`en\`).`;

/** Publishes the description of the API: for people at `/docs`, for programs at `/openapi.json`. */
export function serveOpenApi(app: INestApplication, settings: Settings): void {
  // Swagger UI comes with more files than its page uses, an example of another API among them.
  app.use((request: Request, _response: Response, next: NextFunction) => {
    if (/^\/docs\//i.test(request.path) && !PAGE_FILES.test(request.path)) {
      throw new ApiError(404, 'notFound');
    }
    next();
  });
  SwaggerModule.setup('docs', app, () => describeApi(app, settings.ROOT_PATH), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'User account service',
  });
}

/** The description of the API, for clients that are generated from it. */
export function describeApi(app: INestApplication, rootPath: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('User account service')
    .setDescription(DESCRIPTION.trim())
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(rootPath === '' ? '/' : rootPath)
    .addTag('user', 'Accounts and logins')
    .addTag('health', 'For whoever runs the service')
    .addOAuth2(
      {
        type: 'oauth2',
        flows: {
          password: {
            tokenUrl: `${rootPath}/user/login`,
            refreshUrl: `${rootPath}/user/token`,
            scopes: { offline_access: 'A refresh token beside the token' },
          },
        },
      },
      OAUTH2_SCHEME,
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, BEARER_SCHEME)
    .addCookieAuth('session', undefined, COOKIE_SCHEME)
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
  for (const { get, post, patch, delete: remove } of Object.values(document.paths)) {
    // Said openly of what is open; the rest names its schemes with `ApiToken`.
    for (const operation of [get, post, patch, remove]) if (operation) operation.security ??= [];
  }
  return document;
}
