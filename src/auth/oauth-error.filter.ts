import { type ArgumentsHost, Catch } from '@nestjs/common';
import { ValidationFailed } from '../errors/api-error';
import { ApiExceptionFilter } from '../errors/exception.filter';
import { EmailNotVerified, IncorrectCredentials } from './auth.errors';

/** The errors of the token endpoint as OAuth 2.0 has them (RFC 6749 §5.2), with `detail` beside. */
@Catch()
export class OAuthErrorFilter extends ApiExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    super.catch(inOAuth(exception), host);
  }
}

function inOAuth(exception: unknown): unknown {
  if (exception instanceof IncorrectCredentials) return new IncorrectCredentials(400);
  if (exception instanceof EmailNotVerified) return new EmailNotVerified(400);
  if (!(exception instanceof ValidationFailed)) return exception;
  // Names of fields are ours, and ASCII.
  const fields = exception.errors.map(({ loc }) => loc.slice(1).join('.')).join(', ');
  return new ValidationFailed(exception.errors, {
    status: 400,
    members: {
      error: 'invalid_request',
      error_description: `Missing, repeated or malformed: ${fields}`,
    },
  });
}
