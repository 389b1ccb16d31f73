import { ApiError } from '../errors/api-error';
import { TooManyRequests } from '../limits/limits.errors';

/** RFC 6749 §5.2, for OAuth 2.0 clients; ASCII, in whatever language. */
export const INVALID_GRANT = {
  error: 'invalid_grant',
  error_description: 'Incorrect username or password',
} as const;

export const EMAIL_NOT_VERIFIED = {
  error: 'invalid_grant',
  error_description: 'The email address has to be confirmed first',
} as const;

/** 401 of a login: the same whether there is no such user or the password is another. */
export class IncorrectCredentials extends ApiError {
  override readonly name = 'IncorrectCredentials';

  /** @param status 400 is what the token endpoint of OAuth 2.0 answers */
  constructor(status: 400 | 401 = 401) {
    super(status, 'incorrectCredentials', {
      headers: status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {},
      members: INVALID_GRANT,
    });
  }
}

/** 403 of a login: the password is right, and the address has to be confirmed first. */
export class EmailNotVerified extends ApiError {
  override readonly name = 'EmailNotVerified';

  /** @param status 400 is what the token endpoint of OAuth 2.0 answers */
  constructor(status: 400 | 403 = 403) {
    super(status, 'emailNotVerified', { members: EMAIL_NOT_VERIFIED });
  }
}

/** 400 of the token endpoint: the refresh token is unknown, has expired, or was used before. */
export class InvalidRefreshToken extends ApiError {
  override readonly name = 'InvalidRefreshToken';

  constructor() {
    super(400, 'invalidRefreshToken', {
      members: {
        error: 'invalid_grant',
        error_description: 'The refresh token is invalid, expired or used',
      },
    });
  }
}

/** 400 of the token endpoint: it has no such grant. */
export class UnsupportedGrantType extends ApiError {
  override readonly name = 'UnsupportedGrantType';

  constructor() {
    super(400, 'unsupportedGrantType', {
      members: {
        error: 'unsupported_grant_type',
        error_description: 'The grant_type must be password or refresh_token',
      },
    });
  }
}

/**
 * RFC 6749 has no code for what comes too often; this is the one of its codes that tells no client
 * to give up what it has.
 */
export const TEMPORARILY_UNAVAILABLE = {
  error: 'temporarily_unavailable',
  error_description: 'Too many requests: try again later',
} as const;

/** @throws what failed; if that came too often, in a form that OAuth 2.0 clients understand */
export function throwForOAuth(failure: unknown): never {
  if (!(failure instanceof TooManyRequests)) throw failure;
  throw new TooManyRequests(failure.messageName, failure.seconds, TEMPORARILY_UNAVAILABLE);
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
