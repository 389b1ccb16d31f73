import type { FieldMessageName, MessageName } from './messages';

/** What an error adds to its answer. */
export interface ApiErrorOptions extends ErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Members beside `detail`. */
  readonly members?: Readonly<Record<string, string>>;
}

/** An error that its client is told about; the exception filter writes it, in the client's language. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    readonly messageName: MessageName,
    { headers = {}, members = {}, ...options }: ApiErrorOptions = {},
  ) {
    super(messageName, options);
    this.headers = headers;
    this.members = members;
  }
}

/** One thing that is wrong with a request body. */
export interface FieldError {
  /** Where: `body` or `query`, and the name of the field; or `body` alone. */
  readonly loc: readonly (string | number)[];
  readonly messageName: FieldMessageName;
  /** The rule's own value, such as a length; in the words and in `ctx` where those have a place for it. */
  readonly parameter?: string | number;
}

/** What makes a `ValidationFailed` another answer than an ordinary 422. */
interface ValidationFailedOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Members beside `detail`. */
  readonly members?: Readonly<Record<string, string>>;
}

/** 422: a request that cannot be taken, with one entry for each field that is wrong. */
export class ValidationFailed extends Error {
  override readonly name = 'ValidationFailed';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, string>>;

  constructor(
    readonly errors: readonly FieldError[],
    { status = 422, headers = {}, members = {} }: ValidationFailedOptions = {},
  ) {
    super(errors.map(({ loc, messageName }) => `${loc.join('.')}: ${messageName}`).join(', '));
    this.status = status;
    this.headers = headers;
    this.members = members;
  }
}
