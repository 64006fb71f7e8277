//go:build js && wasm

package main

import (
	"errors"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/host/workers"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

func main() {
	workers.Serve(func(vars map[string]string) (workers.Core, error) {
		tokens, e1 := access.ParseTokens(vars["LOONGCLAW_TOKENS"])
		origins, e2 := access.ParseOrigins(vars["ALLOWED_ORIGINS"])
		key, e3 := pass.ParsePrivate(vars["PASS_PRIVATE_KEY"])
		if err := errors.Join(e1, e2, e3); err != nil {
			return nil, err
		}
		return edge.New(edge.Config{
			Version: "dev", Tokens: tokens, PassKey: key, Agents: []string{vars["AGENT_URL"]}, Origins: origins, LoginCode: vars["LOONGCLAW_LOGIN_CODE"],
			Limits: limit.Rates{Chat: limit.Rate{N: 30, Per: time.Minute}, API: limit.Rate{N: 600, Per: time.Minute}, Auth: limit.Rate{N: 10, Per: time.Minute}},
		})
	})
}
