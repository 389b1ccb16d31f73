import type { CorsOptions } from '@nestjs/common/interfaces/external/cors-options.interface';

/** How long a browser remembers what it was allowed, in seconds: no browser does so for longer. */
const MAX_AGE_SECONDS = 7200;

/**
 * What pages of these origins may do here, for the library that Nest brings. Without credentials: a
 * cookie authorises pages of this origin only, and a token is no credential in the sense of CORS.
 *
 * @param origins exactly as a browser names them
 */
export function corsOptions(origins: readonly string[]): CorsOptions {
  return {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'X-Request-Id'],
    exposedHeaders: ['Retry-After', 'WWW-Authenticate', 'X-Request-Id', 'X-User-Id'],
    maxAge: MAX_AGE_SECONDS,
    // A path that there is not has nothing to allow.
    preflightContinue: true,
  };
}
