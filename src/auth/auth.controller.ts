import { Controller, Header, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiBodyErrors,
  ApiCommonErrors,
  ApiErrorResponse,
  ApiHashing,
} from '../openapi/decorators';
import { OAuthErrorResponse } from '../errors/dto/error.response';
import { Public } from '../http/public.decorator';
import { CurrentUser } from '../user/current-user.decorator';
import type { User } from '../user/user.entity';
import { INVALID_GRANT } from './auth.errors';
import { AuthService } from './auth.service';
import { LoginDto } from './dto/login.dto';
import { TokenResponse } from './dto/token.response';
import { LocalAuthGuard } from './local-auth.guard';

/** Logins over HTTP. */
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
  @ApiErrorResponse(401, ['incorrectCredentials'], {
    type: OAuthErrorResponse,
    members: INVALID_GRANT,
  })
  @ApiBodyErrors()
  @ApiHashing()
  login(@CurrentUser() user: User): TokenResponse {
    return this.auth.logIn(user);
  }
}
