package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// maxJWT is the longest JSON Web Token that is looked at.
	maxJWT = 8 << 10
	// jwtLeeway is how far the issuer's clock may be off.
	jwtLeeway = 30 * time.Second
	// maxTime keeps a claim's time within what the rest can compute with.
	maxTime = 1 << 40
)

// algorithms are those that count. Each key serves one of them alone.
var algorithms = []string{"EdDSA", "ES256", "RS256"}

// JWT is the way in for tokens of one issuer.
type JWT struct {
	Issuer   string
	Audience string
	Keys     KeySet
	// UserClaim names the user. ScopeClaim holds scopes, in a string with spaces or
	// in a list; a token without it may read and chat.
	UserClaim, ScopeClaim string
}

// NewJWT makes the way in; nil when nothing of it is set. The error joins every
// fault, each with its variable.
func NewJWT(issuer, audience, keys, userClaim, scopeClaim string) (*JWT, error) {
	if issuer == "" && audience == "" && strings.TrimSpace(keys) == "" {
		return nil, nil
	}
	var faults []error
	for name, value := range map[string]string{"JWT_ISSUER": issuer, "JWT_AUDIENCE": audience, "JWT_USER_CLAIM": userClaim, "JWT_SCOPE_CLAIM": scopeClaim} {
		if value == "" {
			faults = append(faults, fmt.Errorf("%s: is not set; JWT needs it, so set it, or unset every JWT_ variable", name))
		}
	}
	set, err := ParseKeys(keys)
	if err != nil {
		faults = append(faults, fmt.Errorf("JWT_PUBLIC_KEYS: %w", err))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &JWT{Issuer: issuer, Audience: audience, Keys: set, UserClaim: userClaim, ScopeClaim: scopeClaim}, nil
}

// ErrUnknownKey says that no key is known that could have signed the token.
var ErrUnknownKey = errors.New("the token's key is not known")

// LooksLikeJWT reports whether a credential has the form of a JSON Web Token.
func LooksLikeJWT(s string) bool { return strings.Count(s, ".") == 2 && strings.HasPrefix(s, "ey") }

// Verify says what a token gives. The error is for the owner: who sends a token
// learns only that it does not count.
func (j *JWT) Verify(text string, now time.Time) (Identity, error) {
	claims, err := verifyJWT(text, j.Issuer, []string{j.Audience}, j.Keys, now)
	if err != nil {
		return Identity{}, err
	}
	user, _ := claims.rest[j.UserClaim].(string)
	if err := checkUser(user); err != nil {
		return Identity{}, fmt.Errorf("the claim %s: %w", j.UserClaim, err)
	}
	return Identity{User: user, Scopes: scopesOf(claims.rest[j.ScopeClaim]), Expires: claims.expires}, nil
}

// scopesOf reads a scope claim. Issuers put scopes of others beside ours, which
// say nothing here; so a claim without one of ours allows nothing.
func scopesOf(claim any) []string {
	var names []string
	switch v := claim.(type) {
	case nil:
		names = []string{ScopeChat}
	case string:
		names = strings.Fields(v)
	case []any:
		for _, e := range v {
			if name, ok := e.(string); ok {
				names = append(names, name)
			}
		}
	}
	highest := -1
	for _, name := range names {
		highest = max(highest, slices.Index(ladder, name))
	}
	return slices.Clone(ladder[:highest+1])
}

// verified are the claims of a token that counts.
type verified struct {
	rest    jwt.MapClaims
	expires int64 // Unix seconds, leeway included
}

func verifyJWT(text, issuer string, audience []string, keys KeySet, now time.Time) (verified, error) {
	if len(text) > maxJWT {
		return verified{}, errors.New("the token is too long")
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(algorithms), jwt.WithStrictDecoding(),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience...), jwt.WithExpirationRequired(),
		jwt.WithLeeway(jwtLeeway), jwt.WithTimeFunc(func() time.Time { return now }),
	)
	claims := jwt.MapClaims{}
	if _, err := parser.ParseWithClaims(text, claims, keys.forToken); err != nil {
		if errors.Is(err, ErrUnknownKey) {
			return verified{}, ErrUnknownKey
		}
		return verified{}, err
	}
	exp, err := claims.GetExpirationTime()
	if err != nil || exp == nil || exp.Unix() < 0 || exp.Unix() > maxTime {
		return verified{}, errors.New("the token's exp cannot be a time")
	}
	return verified{rest: claims, expires: exp.Add(jwtLeeway).Unix()}, nil
}

// forToken chooses the keys for a token by its kid and its algorithm.
func (s KeySet) forToken(t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errors.New("the token demands what is not understood here (crit)")
	}
	id := ""
	if v, there := t.Header["kid"]; there {
		var ok bool
		if id, ok = v.(string); !ok {
			return nil, errors.New("the token's kid is no text")
		}
	}
	var set jwt.VerificationKeySet
	for _, k := range s.find(id, t.Method.Alg()) {
		set.Keys = append(set.Keys, k.public)
	}
	if len(set.Keys) == 0 {
		return nil, ErrUnknownKey
	}
	return set, nil
}
