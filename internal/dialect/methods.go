package dialect

import "github.com/wattgate/wattgate/internal/domain"

// ClientMethods are the ways to authenticate that the form endpoints read, as
// the metadata lists them (RFC 8414 §2).
var ClientMethods = []domain.AuthMethod{domain.ClientSecretBasic, domain.ClientSecretPost, domain.PrivateKeyJWT}
