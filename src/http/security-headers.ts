import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * What a page of this service may load and do, that of the documentation too: its own files, and
 * requests to its own origin. nginx says the same.
 */
export const CONTENT_SECURITY_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  // Mantine sets its variables in a style element.
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'manifest-src': ["'self'"],
  'form-action': ["'self'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** The headers of every answer that tell a browser what to keep others from doing with it. */
export const securityHeaders: RequestHandler = helmet({
  contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
  // Of the whole host, and not for this program to promise: nginx does under TLS.
  strictTransportSecurity: false,
});
