import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { ReferenceToken } from '../session/reference-token.service';

declare global {
  // As in `CurrentUser`: what `auth` knows of whoever sent a request.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- global types can be extended in no other way
  namespace Express {
    interface User {
      /** The token, if it is one of the reference. */
      readonly referenceToken?: ReferenceToken | undefined;
      /** Whether the token came as a cookie. */
      readonly byCookie?: boolean;
    }
  }
}

/** The login that the token of a request belongs to, and its account. */
export const CurrentLogin = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Express.User => {
    const { user } = context.switchToHttp().getRequest<Request>();
    if (user === undefined) throw new Error('A public route has no current login');
    return user;
  },
);

/** The same, where there may be none; see `LoginIfAny`. */
export const LoginOfRequest = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Express.User | undefined =>
    context.switchToHttp().getRequest<Request>().user,
);
