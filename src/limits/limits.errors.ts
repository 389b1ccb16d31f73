import { ApiError, type ApiErrorOptions } from '../errors/api-error';
import type { MessageName } from '../errors/messages';

/** 429: done too often. */
export class TooManyRequests extends ApiError {
  override readonly name = 'TooManyRequests';

  /** @param seconds until it is worth trying again */
  constructor(
    messageName: MessageName,
    readonly seconds: number,
    members: ApiErrorOptions['members'] = {},
  ) {
    super(429, messageName, { headers: { 'Retry-After': String(seconds) }, members });
  }
}
