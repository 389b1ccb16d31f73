import { ApiError } from '../errors/api-error';

/** RFC 6749 §5.2, for OAuth 2.0 clients; ASCII, in whatever language. */
export const INVALID_GRANT = {
  error: 'invalid_grant',
  error_description: 'Incorrect username or password',
} as const;

/** 401 of a login: the same whether there is no such user or the password is another. */
export class IncorrectCredentials extends ApiError {
  override readonly name = 'IncorrectCredentials';

  constructor() {
    super(401, 'incorrectCredentials', {
      headers: { 'WWW-Authenticate': 'Bearer' },
      members: INVALID_GRANT,
    });
  }
}

/** 401: a route that needs a token was called without one. */
export class NotAuthenticated extends ApiError {
  override readonly name = 'NotAuthenticated';

  constructor() {
    super(401, 'notAuthenticated', { headers: { 'WWW-Authenticate': 'Bearer' } });
  }
}

/** 401: the token is none of ours, has expired, or speaks for nobody (RFC 6750 §3.1). */
export class InvalidToken extends ApiError {
  override readonly name = 'InvalidToken';

  constructor(options?: ErrorOptions) {
    super(401, 'invalidToken', {
      ...options,
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    });
  }
}
