package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// route is where a Worker answers beside workers.dev, as wrangler.jsonc has it.
type route struct {
	Pattern string
	Custom  bool `json:"custom_domain"`
}

// UnmarshalJSON reads a route, which may be its pattern alone.
func (r *route) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &r.Pattern) == nil {
		return nil
	}
	type plain route
	return json.Unmarshal(b, (*plain)(r))
}

// host is the host of a route; empty where its pattern stands for many.
func (r route) host() string {
	pattern := strings.TrimPrefix(strings.TrimPrefix(r.Pattern, "https://"), "http://")
	host, _, _ := strings.Cut(pattern, "/")
	if strings.Contains(host, "*") {
		return ""
	}
	return strings.ToLower(host)
}

// domain is the address of its own that wrangler.jsonc gives the Worker.
func (t target) domain() string {
	for _, r := range t.Routes {
		if r.Custom && r.host() != "" {
			return "https://" + r.host()
		}
	}
	return ""
}

// addressesOf are the addresses among what wrangler says that it has deployed to: it
// names routes and schedules, too, and tells what they are in words behind them.
func addressesOf(targets []string) []string {
	var found []string
	for _, said := range targets {
		name, words, _ := strings.Cut(said, " ")
		switch host := (route{Pattern: name}).host(); {
		case strings.HasPrefix(name, "https://") && host != "":
			found = append(found, "https://"+host)
		case strings.HasPrefix(words, "(custom domain") && host != "":
			found = append([]string{"https://" + host}, found...) // it goes before workers.dev
		}
	}
	return found
}

// judgeAddress reads an address to which keys are sent: https, and nothing but a
// host. A server on this machine, which only tests have, may be asked over http.
func judgeAddress(s string, nearby bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("ADDRESS is no address of a Worker\nNext: write scheme and host alone, such as https://ai.example.com")
	case nearby && u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback():
		return u, nil
	case u.Scheme != "https":
		return nil, errors.New("ADDRESS is not https: the keys of the switch could be read on their way\nNext: write https:// before the name")
	case u.Port() != "" && u.Port() != "443":
		return nil, errors.New("ADDRESS has a port, and a Worker answers at 443 alone\nNext: leave the port out")
	}
	u.Host = strings.ToLower(u.Hostname())
	return u, nil
}

// own returns the address at which the operator's interface is asked. Its keys go to the
// Worker's own hosts and nowhere else: to those in wrangler.jsonc, and to those that
// wrangler has named on this machine. It is empty where none is known yet, which a
// first deploy changes.
func (p *Platform) own(m memory) (string, error) {
	named := p.Address
	if named == "" {
		named = p.to.domain()
	}
	if named == "" {
		named = m.Address
	}
	if named == "" {
		named = p.to.Vars[publicURL]
	}
	if named == "" {
		return "", nil
	}
	u, err := judgeAddress(named, p.nearby)
	if err != nil {
		return "", err
	}
	own := append([]string{}, m.Hosts...)
	for _, address := range []string{m.Address, p.to.Vars[publicURL]} {
		if known, err := judgeAddress(address, p.nearby); err == nil {
			own = append(own, known.Host)
		}
	}
	for _, r := range p.to.Routes {
		own = append(own, r.host())
	}
	if !slices.Contains(own, u.Host) && !(p.nearby && u.Scheme == "http") {
		return "", fmt.Errorf("%s is not known to be the Worker's own address, and its keys are sent nowhere else\n"+
			"Next: write it into wrangler.jsonc below env.%s: a domain of yours as routes (docs/DEPLOY-CLOUDFLARE.md, Your own domain),\n"+
			"      one of workers.dev as the variable %s", u.Host, p.Env, publicURL)
	}
	return u.Scheme + "://" + u.Host, nil
}

// publicURL is the variable in which the gateway finds its own address.
const publicURL = "PUBLIC_URL"

// tellOwn lets the gateway know its own address, where that is known before the
// upload and wrangler.jsonc does not say it. It goes with the secrets, since a first
// deploy learns it only afterwards, and a name is either a variable or a secret.
func (p *Platform) tellOwn(ctx context.Context, m memory, secrets map[string]string) error {
	if p.to.Vars[publicURL] != "" {
		if !p.there[publicURL] {
			return nil
		}
		_, err := p.wrangler(ctx, "secret", "delete", publicURL, "--env", p.Env)
		return err
	}
	base := p.base
	if base == "" {
		base = p.to.domain()
	}
	if base == "" {
		base = m.Address
	}
	if base != "" {
		secrets[publicURL] = base
	}
	return nil
}

// named takes over what wrangler says of where the Worker answers.
func (p *Platform) named(ctx context.Context, m memory, addresses []string, told bool) error {
	m.Hosts = nil
	for _, address := range addresses {
		m.Hosts = append(m.Hosts, strings.TrimPrefix(address, "https://"))
	}
	if len(addresses) > 0 {
		m.Address = addresses[0]
	}
	var err error
	if p.base, err = p.own(m); err != nil {
		return err
	}
	if p.base == "" {
		return errors.New("it was deployed, and wrangler names no address\nNext: register a workers.dev subdomain, or add a domain of yours to wrangler.jsonc (docs/DEPLOY-CLOUDFLARE.md, Your own domain)")
	}
	if err := p.remember(m); err != nil {
		return err
	}
	if told || p.to.Vars[publicURL] != "" {
		return nil
	}
	return p.giveSecrets(ctx, map[string]string{publicURL: p.base})
}

// Where is the address at which the Worker answers, once that is known.
func (p *Platform) Where() string { return p.base }
