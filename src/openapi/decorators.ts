import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCookieAuth,
  ApiOAuth2,
  ApiResponse,
  type ApiResponseOptions,
  ApiSecurity,
} from '@nestjs/swagger';
import { ErrorResponse, ValidationErrorResponse } from '../errors/dto/error.response';
import { validationBody } from '../errors/error-body';
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

/** An error that an operation can answer with: what it says, and one example of each. */
export function ApiErrorResponse(
  status: number,
  messages: readonly MessageName[],
  {
    type = ErrorResponse,
    headers = {},
    members = {},
  }: { type?: Type; headers?: Headers; members?: Readonly<Record<string, string>> } = {},
): MethodDecorator & ClassDecorator {
  return ApiResponse({
    status,
    type,
    description: messages.map((name) => MESSAGES[name].en).join(' / '),
    headers: { ...LANGUAGE, ...(status === 401 ? CHALLENGE : {}), ...headers },
    examples: Object.fromEntries(
      messages.map((name) => [
        name,
        { summary: MESSAGES[name].en, value: { detail: MESSAGES[name].reference, ...members } },
      ]),
    ),
  });
}

/** What any operation can answer: the service is broken or cannot serve, or HTTP itself was. */
export function ApiCommonErrors(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiErrorResponse(400, ['badRequest', 'bodyUnreadable']),
    ApiErrorResponse(408, ['requestTimeout']),
    ApiErrorResponse(417, ['expectationFailed']),
    ApiErrorResponse(431, ['headersTooLarge']),
    ApiErrorResponse(500, ['internal']),
    ApiErrorResponse(503, ['unavailable'], { headers: RETRY_AFTER }),
  );
}

/** What an operation can answer to a body that is not even looked into. */
export function ApiUnreadableBody(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiErrorResponse(413, ['bodyTooLarge']),
    ApiErrorResponse(415, ['unsupportedEncoding']),
  );
}

/** What an operation can answer that takes a body. */
export function ApiBodyErrors(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiUnreadableBody(),
    ApiResponse({
      status: 422,
      type: ValidationErrorResponse,
      description: 'The body cannot be taken; one entry for each field that is wrong.',
      headers: LANGUAGE,
      example: validationBody(
        [
          { loc: ['body', 'username'], messageName: 'required' },
          { loc: ['body', 'password1'], messageName: 'minLength', parameter: 8 },
        ],
        'reference',
      ),
    }),
  );
}

/** What an operation can answer that takes parameters in a query. @param name of one of them */
export function ApiQueryErrors(name: string): MethodDecorator & ClassDecorator {
  return ApiResponse({
    status: 422,
    type: ValidationErrorResponse,
    description: 'The query cannot be taken; one entry for each parameter that is wrong.',
    headers: LANGUAGE,
    example: validationBody([{ loc: ['query', name], messageName: 'integer' }], 'reference'),
  });
}

/** The operation hashes a password, and may have more of them to hash than it can. */
export function ApiHashing(): MethodDecorator & ClassDecorator {
  return ApiErrorResponse(503, ['unavailable', 'overloaded'], { headers: RETRY_AFTER });
}

/** The operation sends a mail. @param limited what else it says when it came too often */
export function ApiMail(...limited: MessageName[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiErrorResponse(503, ['unavailable', 'noMail'], { headers: RETRY_AFTER }),
    ApiLimited(['tooManyRequests', ...limited]),
  );
}

/** The operation may be done so often and no more. @param oauth whether it says so as OAuth 2.0 has it */
export function ApiLimited(
  messages: readonly MessageName[],
  oauth: { type?: Type; members?: Readonly<Record<string, string>> } = {},
): MethodDecorator & ClassDecorator {
  return ApiErrorResponse(429, messages, { headers: RETRY_AFTER, ...oauth });
}

export const OAUTH2_SCHEME = 'OAuth2PasswordBearer';
export const BEARER_SCHEME = 'AccessToken';
export const COOKIE_SCHEME = 'SessionCookie';

/** The operation is a write that needs a token. */
export function ApiTokenToWrite(): MethodDecorator & ClassDecorator {
  return applyDecorators(ApiToken(), ApiErrorResponse(403, ['crossOrigin']));
}

/** The operation is a write that whoever has a token sends with it. */
export function ApiTokenIfAny(): MethodDecorator & ClassDecorator {
  return applyDecorators(ApiSecurity({}), ApiTokenToWrite());
}

/** The operation needs a token, from the form of Swagger UI or pasted there. */
export function ApiToken(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiOAuth2([], OAUTH2_SCHEME),
    ApiBearerAuth(BEARER_SCHEME),
    ApiCookieAuth(COOKIE_SCHEME),
    ApiErrorResponse(401, ['notAuthenticated', 'invalidToken']),
  );
}
