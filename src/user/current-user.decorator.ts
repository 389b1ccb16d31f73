import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { User as Account } from './user.entity';

declare global {
  // Where passport's types say that an application adds its own: this is `request.user`.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- global types can be extended in no other way
  namespace Express {
    interface User {
      readonly account: Account;
      /** The login that the token belongs to; a token of the reference belongs to none. */
      readonly sessionId?: string | undefined;
    }
  }
}

/** The account that the token of a request speaks for. */
export const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Account => {
    const { user } = context.switchToHttp().getRequest<Request>();
    if (user === undefined) throw new Error('A public route has no current user');
    return user.account;
  },
);
