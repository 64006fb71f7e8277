package access

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// HeaderAssertion is where Cloudflare Access says who was let in.
const HeaderAssertion = "Cf-Access-Jwt-Assertion"

// Team is the way in for users that Cloudflare Access let in. Its keys change
// without notice, so the host fetches them.
type Team struct {
	Origin   string // scheme and host: the issuer
	Audience []string
}

// ParseTeam reads ACCESS_TEAM_DOMAIN and ACCESS_AUD; nil when neither is set. The
// error joins every fault, each with its variable.
func ParseTeam(domain, aud string) (*Team, error) {
	if domain == "" && aud == "" {
		return nil, nil
	}
	t := &Team{}
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
	if t.Origin, err = teamOrigin(domain); err != nil {
		faults = append(faults, fmt.Errorf("ACCESS_TEAM_DOMAIN: %w", err))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return t, nil
}

// teamOrigin reads a team's domain, with or without https://. Keys that came over
// plain HTTP could be anybody's, so that is for this machine's own servers.
func teamOrigin(domain string) (string, error) {
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
func (t *Team) KeysURL() string { return t.Origin + "/cdn-cgi/access/certs" }

// Verify says what an assertion gives: its user is the e-mail address. It may read
// and chat: that Access let somebody in makes nobody an admin.
func (t *Team) Verify(text string, keys KeySet, now time.Time) (Grant, error) {
	claims, err := verifyJWT(text, t.Origin, t.Audience, keys, now)
	if err != nil {
		return Grant{}, err
	}
	email, _ := claims.rest["email"].(string)
	email = strings.ToLower(email)
	if err := checkUser(email); err != nil {
		return Grant{}, fmt.Errorf("the claim email: %w", err)
	}
	return Grant{User: email, Scopes: scopesOf(nil), Expires: claims.expires}, nil
}
