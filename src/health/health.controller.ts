import { Controller, Get, Header, ServiceUnavailableException } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { DatabaseService } from '../database/database.service';
import { Public } from '../http/public.decorator';
import { ApiCommonErrors } from '../openapi/decorators';

const DATABASE_TIMEOUT_MS = 1000;

/** All is well; anything else is an error. */
export class HealthResponse {
  @ApiProperty({ enum: ['ok'] })
  readonly status!: 'ok';
}

/** For load balancers and orchestrators. */
@Public()
@ApiTags('health')
@ApiCommonErrors()
@Controller('health')
export class HealthController {
  private stopping = false;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: DatabaseService,
  ) {}

  /** Says no from now on, so that nobody is sent here any more: the service is about to stop. */
  stopBeingReady(): void {
    this.stopping = true;
  }

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Does the process answer' })
  @ApiOkResponse({ type: HealthResponse })
  live(): HealthResponse {
    return { status: 'ok' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Can it serve: is the database there, with the schema of this version' })
  @ApiOkResponse({ type: HealthResponse })
  async ready(): Promise<HealthResponse> {
    // These become a 503.
    if (this.stopping) throw new ServiceUnavailableException();
    await this.health.check([
      () =>
        this.indicators
          .check('database')
          .attempt(() => this.database.assertReady())
          .withTimeout(DATABASE_TIMEOUT_MS),
    ]);
    return { status: 'ok' };
  }
}
