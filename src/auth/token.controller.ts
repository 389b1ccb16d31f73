import { Body, Controller, Header, HttpCode, Post, UseFilters } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { TokenErrorResponse } from '../errors/dto/error.response';
import { type Client, FromClient } from '../http/client.decorator';
import { Public } from '../http/public.decorator';
import {
  ApiCommonErrors,
  ApiErrorResponse,
  ApiHashing,
  ApiLimited,
  ApiUnreadableBody,
} from '../openapi/decorators';
import { RequestValidationPipe } from '../validation/request-validation.pipe';
import { INVALID_GRANT, TEMPORARILY_UNAVAILABLE, UnsupportedGrantType } from './auth.errors';
import { AuthService } from './auth.service';
import { LoginDto } from './dto/login.dto';
import { RefreshTokenGrantDto, TokenRequestDto, TokenRequestForm } from './dto/token-request.dto';
import { TokenResponse } from './dto/token.response';
import { OAuthErrorFilter } from './oauth-error.filter';

/** The token endpoint of OAuth 2.0 (RFC 6749 §3.2), for clients that are strict about it. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user')
export class TokenController {
  constructor(
    private readonly auth: AuthService,
    private readonly validation: RequestValidationPipe,
  ) {}

  @Public()
  @UseFilters(OAuthErrorFilter)
  @Post('token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @ApiOperation({ summary: 'Token endpoint of OAuth 2.0' })
  @ApiConsumes('application/x-www-form-urlencoded', 'multipart/form-data')
  @ApiBody({ type: TokenRequestForm })
  @ApiOkResponse({ type: TokenResponse })
  @ApiUnreadableBody()
  @ApiErrorResponse(
    400,
    [
      'incorrectCredentials',
      'emailNotVerified',
      'invalidRefreshToken',
      'unsupportedGrantType',
      'bodyUnreadable',
    ],
    { type: TokenErrorResponse, members: INVALID_GRANT },
  )
  @ApiHashing()
  @ApiLimited(['tooManyPasswords', 'tooManyRequests'], {
    type: TokenErrorResponse,
    members: TEMPORARILY_UNAVAILABLE,
  })
  async token(
    @Body() form: Record<string, unknown>,
    @FromClient() client: Client,
  ): Promise<TokenResponse> {
    const { grant_type: grantType } = await this.validation.body(TokenRequestDto, form);
    switch (grantType) {
      case 'password': {
        const login = await this.validation.body(LoginDto, form);
        const user = await this.auth.verifyPassword(login.username, login.password, client);
        return this.auth.logIn(user, login, client);
      }
      case 'refresh_token': {
        const { refresh_token } = await this.validation.body(RefreshTokenGrantDto, form);
        return this.auth.refresh(refresh_token, client);
      }
      default:
        throw new UnsupportedGrantType();
    }
  }
}
