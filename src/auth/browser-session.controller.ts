import { Body, Controller, Delete, Header, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { OAuthErrorResponse } from '../errors/dto/error.response';
import { type Client, FromClient } from '../http/client.decorator';
import { Public } from '../http/public.decorator';
import { SameOriginGuard } from '../http/same-origin';
import { clearSessionCookie, setSessionCookie } from '../http/session-cookie';
import {
  ApiBodyErrors,
  ApiCommonErrors,
  ApiErrorResponse,
  ApiHashing,
  ApiLimited,
  ApiTokenToWrite,
} from '../openapi/decorators';
import { CurrentUser } from '../user/current-user.decorator';
import type { User } from '../user/user.entity';
import { INVALID_GRANT, TEMPORARILY_UNAVAILABLE } from './auth.errors';
import { AuthService } from './auth.service';
import { CurrentLogin } from './current-login.decorator';
import { LoginDto } from './dto/login.dto';
import { LocalAuthGuard } from './local-auth.guard';

/** Logging in and out with a browser, whose token is a cookie that no script can read. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user/session')
export class BrowserSessionController {
  constructor(private readonly auth: AuthService) {}

  @Public()
  @UseGuards(SameOriginGuard, LocalAuthGuard)
  @Post()
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Log in with a browser: the token comes as a cookie' })
  @ApiConsumes('application/x-www-form-urlencoded', 'multipart/form-data')
  @ApiBody({ type: LoginDto })
  @ApiNoContentResponse({
    description: 'Logged in.',
    headers: {
      'Set-Cookie': {
        description: '`session`, or `__Host-session` under TLS: HttpOnly, SameSite=Strict.',
        schema: { type: 'string' },
      },
    },
  })
  @ApiErrorResponse(403, ['crossOrigin', 'emailNotVerified'])
  @ApiErrorResponse(401, ['incorrectCredentials'], {
    type: OAuthErrorResponse,
    members: INVALID_GRANT,
  })
  @ApiBodyErrors()
  @ApiHashing()
  @ApiLimited(['tooManyPasswords'], {
    type: OAuthErrorResponse,
    members: TEMPORARILY_UNAVAILABLE,
  })
  async startSession(
    @CurrentUser() user: User,
    @Body() { password }: LoginDto,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    // Without a scope: a refresh token would have to be within a script's reach.
    const { access_token: token, expires_in: seconds } = await this.auth.logIn(
      user,
      { password },
      client,
    );
    setSessionCookie(response, token, seconds);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Log out with a browser, which loses its cookie' })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'The login is over.' })
  async endSession(
    @CurrentLogin() login: Express.User,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.auth.logOut(login, client);
    clearSessionCookie(response);
  }
}
