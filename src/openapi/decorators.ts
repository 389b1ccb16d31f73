import { applyDecorators, type Type } from '@nestjs/common';
import { ApiBearerAuth, ApiOAuth2, ApiResponse, type ApiResponseOptions } from '@nestjs/swagger';
import { ErrorResponse, ValidationErrorResponse } from '../errors/error.response';
import { MESSAGES, type MessageName } from '../errors/messages';

type Headers = NonNullable<ApiResponseOptions['headers']>;

const LANGUAGE: Headers = {
  'Content-Language': {
    description: 'Language of `detail`, when one was wished for.',
    schema: { type: 'string', enum: ['ko', 'en'] },
  },
};

const RETRY_AFTER: Headers = {
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } },
};

const CHALLENGE: Headers = {
  'WWW-Authenticate': { description: 'RFC 6750 §3', schema: { type: 'string' } },
};

/** An error that an operation can answer with, described by what it says. */
export function ApiError(
  status: number,
  messages: readonly MessageName[],
  { type = ErrorResponse, headers = {} }: { type?: Type; headers?: Headers } = {},
): MethodDecorator & ClassDecorator {
  return ApiResponse({
    status,
    type,
    description: messages.map((name) => MESSAGES[name].en).join(' / '),
    headers: { ...LANGUAGE, ...(status === 401 ? CHALLENGE : {}), ...headers },
  });
}

/** What any operation can answer: the service is broken or cannot serve, or HTTP itself was. */
export function ApiCommonErrors(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiError(400, ['badRequest', 'bodyUnreadable']),
    ApiError(408, ['requestTimeout']),
    ApiError(431, ['headersTooLarge']),
    ApiError(500, ['internal']),
    ApiError(503, ['unavailable'], { headers: RETRY_AFTER }),
  );
}

/** What an operation can answer that takes a body. */
export function ApiBodyErrors(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiError(413, ['bodyTooLarge']),
    ApiError(415, ['unsupportedEncoding']),
    ApiResponse({
      status: 422,
      type: ValidationErrorResponse,
      description: 'The body cannot be taken; one entry for each field that is wrong.',
      headers: LANGUAGE,
    }),
  );
}

export const OAUTH2_SCHEME = 'OAuth2PasswordBearer';
export const BEARER_SCHEME = 'AccessToken';

/** The operation needs a token, from the form of Swagger UI or pasted there. */
export function ApiToken(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiOAuth2([], OAUTH2_SCHEME),
    ApiBearerAuth(BEARER_SCHEME),
    ApiError(401, ['notAuthenticated', 'invalidToken']),
  );
}
