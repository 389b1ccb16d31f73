import { ApiError } from '../errors/api-error';

/** 503: more hashes are waiting than can be done in time. */
export class Overloaded extends ApiError {
  override readonly name = 'Overloaded';

  /** @param waitSeconds how long those that wait will take */
  constructor(waitSeconds: number) {
    super(503, 'overloaded', { headers: { 'Retry-After': String(Math.ceil(waitSeconds)) } });
  }
}

/** The client closed its connection: nobody hears this but the log, which calls it 499 as nginx does. */
export class ClientGone extends ApiError {
  override readonly name = 'ClientGone';

  constructor() {
    super(499, 'clientGone');
  }
}
