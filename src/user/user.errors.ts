import { ApiError } from '../errors/api-error';

/** 409: somebody has this username, or one that differs in case only, or this email address. Which, is not told. */
export class UserExists extends ApiError {
  override readonly name = 'UserExists';

  constructor(cause?: unknown) {
    super(409, 'userExists', { cause });
  }
}
