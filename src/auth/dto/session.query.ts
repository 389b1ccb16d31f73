import { ApiPropertyOptional } from '@nestjs/swagger';
import { BooleanParameter, IntegerParameter } from '../../validation/query-rules';

/** More would be of no use to a person, or to anybody. */
const MAX_PAGE = 1_000_000;
const MAX_SIZE = 100;

/** Which page of the logins. */
export class SessionPageQuery {
  @IntegerParameter(1, MAX_PAGE)
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE })
  readonly page: number = 1;

  @IntegerParameter(1, MAX_SIZE)
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_SIZE })
  readonly size: number = 50;
}

/** Which of the logins are to end. */
export class EndSessionsQuery {
  @BooleanParameter()
  @ApiPropertyOptional({ description: 'Whether the login that asks ends too.' })
  readonly include_current: boolean = false;
}
