import { Controller, Delete, Get, Header, HttpCode, Param, Query, Res } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiError } from '../errors/api-error';
import { type Client, FromClient } from '../http/client.decorator';
import { clearSessionCookie } from '../http/session-cookie';
import {
  ApiCommonErrors,
  ApiErrorResponse,
  ApiQueryErrors,
  ApiToken,
  ApiTokenToWrite,
} from '../openapi/decorators';
import { SessionService } from '../session/session.service';
import { AccountService } from './account.service';
import { CurrentLogin } from './current-login.decorator';
import { EndSessionsQuery, SessionPageQuery } from './dto/session.query';
import { SessionPageResponse, toSessionResponse } from './dto/session.response';

/** The logins of an account, for its owner. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user/sessions')
export class SessionController {
  constructor(
    private readonly sessions: SessionService,
    private readonly accounts: AccountService,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'My live logins, newest first' })
  @ApiToken()
  @ApiOkResponse({ type: SessionPageResponse })
  @ApiQueryErrors('page')
  async listSessions(
    @CurrentLogin() { account, sessionId }: Express.User,
    @Query() { page, size }: SessionPageQuery,
  ): Promise<SessionPageResponse> {
    const { sessions, total } = await this.sessions.list(account.id, page, size);
    const items = sessions.map((session) => toSessionResponse(session, sessionId));
    return { items, total, page, size };
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'End every login but this one' })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'They are over.' })
  @ApiQueryErrors('include_current')
  async endSessions(
    @CurrentLogin() login: Express.User,
    @Query() { include_current: includeCurrent }: EndSessionsQuery,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.accounts.logOutEverywhere(login, { includeCurrent }, client);
    if (includeCurrent && login.byCookie === true) clearSessionCookie(response);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'End one of my logins' })
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' } })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'It is over.' })
  @ApiErrorResponse(404, ['notFound'])
  async endOneSession(
    @CurrentLogin() { account, sessionId, byCookie }: Express.User,
    @Param('id') id: string,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    // Somebody else's, one that is over and no id at all are the same: nothing of the owner's.
    if (!(await this.accounts.endLogin(account, id.toLowerCase(), client))) {
      throw new ApiError(404, 'notFound');
    }
    if (id.toLowerCase() === sessionId && byCookie === true) clearSessionCookie(response);
  }
}
