package dialect

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// StatementType is the typ of an introspection that is signed (RFC 9701 §5);
// after "application/" it is its media type.
const StatementType = "token-introspection+jwt"

const statementMedia = "application/" + StatementType

// WantsStatement reports whether the client asks for a signed introspection
// (RFC 9701 §4): it names the type, and likes it no less than JSON. Who takes
// anything gets JSON.
func WantsStatement(r *http.Request) bool {
	signed, plain := 0.0, 0.0
	for _, line := range r.Header["Accept"] {
		for one := range strings.SplitSeq(line, ",") {
			media, parameters, err := mime.ParseMediaType(one)
			if err != nil {
				continue
			}
			switch media {
			case statementMedia:
				signed = max(signed, quality(parameters))
			case "application/json":
				plain = max(plain, quality(parameters))
			}
		}
	}
	return signed > 0 && signed >= plain
}

// quality is how much a type is liked (RFC 9110 §12.4.2): 1 where nothing is
// said, 0 for not at all and for what cannot be read.
func quality(parameters map[string]string) float64 {
	text, said := parameters["q"]
	if !said {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// Statement returns the claims of a signed introspection (RFC 9701 §5): who
// says it, for whom and when, and what the plain answer would say. There is no
// sub and no exp, so that nobody can take it for a token. The time is in seconds
// since 1970-01-01 UTC.
func Statement(issuer string, asked domain.ClientID, now int64, t oauth.Introspection, active bool) []byte {
	b := appendString(append(make([]byte, 0, 1024), `{"iss":`...), issuer)
	b = appendString(append(b, `,"aud":`...), string(asked))
	b = strconv.AppendInt(append(b, `,"iat":`...), now, 10)
	b = append(b, `,"token_introspection":`...)
	if active {
		b = appendIntrospection(b, t)
	} else {
		b = append(b, inactive...)
	}
	return append(b, '}')
}

// WriteStatement writes a signed introspection.
func WriteStatement(w http.ResponseWriter, signed string) {
	h := w.Header()
	private(h)
	h["Content-Type"] = []string{statementMedia}
	send(w, http.StatusOK, []byte(signed))
}
