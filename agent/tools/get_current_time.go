package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"time"
	_ "time/tzdata" // an image without zone files still knows the zones

	"github.com/loongclaw/loongclaw/agent/loop"
)

//go:embed get_current_time.md
var currentTimeText string

const currentTimeParameters = `{"type":"object","properties":{
"timezone":{"type":"string","default":"Asia/Shanghai","description":"an IANA time zone, such as Europe/Berlin"}}}`

type currentTime struct{ now func() time.Time }

func (currentTime) Spec() loop.Spec {
	return spec("get_current_time", currentTimeText, currentTimeParameters)
}
func (currentTime) ReadOnly() bool { return true }
func (currentTime) Foreign() bool  { return false }

func (currentTime) parse(raw json.RawMessage) (*time.Location, error) {
	a := struct {
		Timezone string `json:"timezone"`
	}{}
	if err := decode(raw, &a); err != nil {
		return nil, err
	}
	if a.Timezone == "" {
		a.Timezone = "Asia/Shanghai"
	}
	return timeZone(a.Timezone)
}

func (t currentTime) Judge(raw json.RawMessage, _ Env) Verdict {
	if _, err := t.parse(raw); err != nil {
		return deny(text(err))
	}
	return ask("get_current_time")
}

func (t currentTime) Run(_ context.Context, raw json.RawMessage, _ Env) (string, error) {
	zone, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	now := t.now()
	return toJSON(struct {
		ISO       string `json:"iso"`
		Unix      int64  `json:"unix"`
		Timezone  string `json:"timezone"`
		Formatted string `json:"formatted"`
	}{
		now.UTC().Format("2006-01-02T15:04:05.000Z"), now.Unix(), zone.String(),
		now.In(zone).Format("2006/1/2 15:04:05"), // as zh-CN writes it
	})
}

var _ Tool = currentTime{}
