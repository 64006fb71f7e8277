package access

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// HeaderAssertion is where Cloudflare Access says who was let in.
const HeaderAssertion = "Cf-Access-Jwt-Assertion"

// CloudflareAccess is the way in for users that Cloudflare Access let in. Its keys change
// without notice, so the host fetches them.
type CloudflareAccess struct {
	Origin   string // scheme and host: the issuer
	Audience []string
}

// ParseCloudflareAccess reads ACCESS_TEAM_DOMAIN and ACCESS_AUD; nil when neither is set. The
// error joins every fault, each with its variable.
func ParseCloudflareAccess(domain, aud string) (*CloudflareAccess, error) {
	if domain == "" && aud == "" {
		return nil, nil
	}
	t := &CloudflareAccess{}
	var faults []error
	for part := range strings.SplitSeq(aud, ",") {
		if part = strings.TrimSpace(part); part != "" {
			t.Audience = append(t.Audience, part)
		}
	}
	if len(t.Audience) == 0 {
		faults = append(faults, errors.New("ACCESS_AUD: is not set; it is the application's AUD tag, several by commas, or unset ACCESS_TEAM_DOMAIN"))
	}
	var err error
	if t.Origin, err = accessOrigin(domain); err != nil {
		faults = append(faults, fmt.Errorf("ACCESS_TEAM_DOMAIN: %w", err))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return t, nil
}

// accessOrigin reads a team's domain, with or without https://. Keys that came over
// plain HTTP could be anybody's, so that is for this machine's own servers.
func accessOrigin(domain string) (string, error) {
	if !strings.Contains(domain, "://") {
		domain = "https://" + domain
	}
	u, err := url.Parse(strings.TrimSuffix(domain, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "https" && (u.Scheme != "http" || !IsLoopbackHost(u.Host))) {
		return "", errors.New("is not a team's domain; write TEAM.cloudflareaccess.com")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// KeysURL is where the team publishes its keys.
func (t *CloudflareAccess) KeysURL() string { return t.Origin + "/cdn-cgi/access/certs" }

// Verify says what an assertion gives: its user is the e-mail address. It may read
// and chat: that Access let somebody in makes nobody an admin.
func (t *CloudflareAccess) Verify(assertion string, keys KeySet, now time.Time) (Identity, error) {
	claims, err := verifyJWT(assertion, t.Origin, t.Audience, keys, now)
	if err != nil {
		return Identity{}, err
	}
	text, _ := claims.rest["email"].(string)
	email, err := lowerASCII(text)
	if err != nil {
		return Identity{}, fmt.Errorf("the claim email: %w", err)
	}
	if err := checkUser(email); err != nil {
		return Identity{}, fmt.Errorf("the claim email: %w", err)
	}
	return Identity{User: email, Scopes: scopesOf(nil), Expires: claims.expires}, nil
}

// lowerASCII lowers the letters that mail systems compare without case. Letters of
// other scripts stay as they are, except that an address is refused which some
// folding would make another one's: the Kelvin sign is no k, nor is a full-width k.
func lowerASCII(email string) (string, error) {
	for _, r := range email {
		if r > unicode.MaxASCII && mayFold(r) {
			return "", errors.New("has a character that is easily taken for an ASCII one, or for none")
		}
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, email), nil
}

// folding are characters that compatibility forms (Unicode's NFKC) make ASCII ones.
var folding = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00AA, Hi: 0x00BA, Stride: 1}, // ordinals
		{Lo: 0x0132, Hi: 0x0133, Stride: 1}, // ij
		{Lo: 0x0149, Hi: 0x0149, Stride: 1}, // 'n
		{Lo: 0x01C4, Hi: 0x01CC, Stride: 1}, // dz, lj, nj
		{Lo: 0x01F1, Hi: 0x01F3, Stride: 1}, // dz
		{Lo: 0x02B0, Hi: 0x02FF, Stride: 1}, // modifiers
		{Lo: 0x1D00, Hi: 0x1DBF, Stride: 1}, // phonetic
		{Lo: 0x2070, Hi: 0x209F, Stride: 1}, // above and below the line
		{Lo: 0x2100, Hi: 0x218F, Stride: 1}, // letterlike, number forms
		{Lo: 0x2C7C, Hi: 0x2C7D, Stride: 1},
		{Lo: 0xFB00, Hi: 0xFB06, Stride: 1}, // ligatures
		{Lo: 0xFF00, Hi: 0xFFEF, Stride: 1}, // half and full width
	},
	R32: []unicode.Range32{
		{Lo: 0x10780, Hi: 0x107BF, Stride: 1}, // modifiers
		{Lo: 0x1D400, Hi: 0x1D7FF, Stride: 1}, // mathematical
		{Lo: 0x1FBF0, Hi: 0x1FBF9, Stride: 1}, // digits
	},
	LatinOffset: 1,
}

// mayFold reports whether some mapping that is in use (lower case, upper case,
// simple folding, compatibility) takes a character to an ASCII one, or whether it is
// no letter, mark or digit and may not be seen at all.
func mayFold(r rune) bool {
	if !unicode.In(r, unicode.L, unicode.M, unicode.Nd) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034F' || unicode.Is(folding, r) {
		return true
	}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if f <= unicode.MaxASCII {
			return true
		}
	}
	return unicode.ToLower(r) <= unicode.MaxASCII || unicode.ToUpper(r) <= unicode.MaxASCII
}
