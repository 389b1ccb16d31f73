import { Body, Controller, Header, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { OAuthErrorResponse } from '../errors/dto/error.response';
import { type Client, FromClient } from '../http/client.decorator';
import { Public } from '../http/public.decorator';
import { clearSessionCookie } from '../http/session-cookie';
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
import { EMAIL_NOT_VERIFIED, INVALID_GRANT, TEMPORARILY_UNAVAILABLE } from './auth.errors';
import { AuthService } from './auth.service';
import { CurrentLogin } from './current-login.decorator';
import { LoginDto } from './dto/login.dto';
import { TokenResponse } from './dto/token.response';
import { LocalAuthGuard } from './local-auth.guard';

/** Logging in and out with a token. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Public()
  @UseGuards(LocalAuthGuard)
  @Post('login')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @ApiOperation({ summary: 'Log in' })
  @ApiConsumes('application/x-www-form-urlencoded', 'multipart/form-data')
  @ApiBody({ type: LoginDto })
  @ApiOkResponse({ type: TokenResponse })
  @ApiErrorResponse(403, ['emailNotVerified'], {
    type: OAuthErrorResponse,
    members: EMAIL_NOT_VERIFIED,
  })
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
  async login(
    @CurrentUser() user: User,
    @Body() body: LoginDto,
    @FromClient() client: Client,
  ): Promise<TokenResponse> {
    return this.auth.logIn(user, body, client);
  }

  @Post('logout')
  @HttpCode(204)
  @ApiOperation({ summary: 'Log out: the login that the token belongs to is over' })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'The token opens nothing any more.' })
  async logout(
    @CurrentLogin() login: Express.User,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.auth.logOut(login, client);
    if (login.byCookie === true) clearSessionCookie(response);
  }
}
