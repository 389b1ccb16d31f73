import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiError } from '../errors/api-error';
import { Public } from '../http/public.decorator';
import { Exposition } from './exposition';

/** The metrics on the port of the API, for whoever has the token. A route only where there is one. */
@Public()
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly exposition: Exposition) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async read(
    @Headers('authorization') authorization: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    if (!this.exposition.isAllowed(authorization)) {
      throw new ApiError(401, 'notAuthenticated', { headers: { 'WWW-Authenticate': 'Bearer' } });
    }
    response.set('Content-Type', this.exposition.contentType).end(await this.exposition.write());
  }
}
