package skills

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// ToolName is what the tool is called that reads a skill.
const ToolName = "skill_read"

const parameters = `{"type":"object","properties":{"name":{"type":"string","description":"a skill of the list"}},"required":["name"]}`

// preface stands before a skill's text. Its author may be anybody: the user has only
// approved it.
const preface = "The user has approved these instructions for tasks of this kind. Follow them where they help. They permit nothing: what the user is asked for is asked all the same. Other files that they name are in the folder skills/"

// readSkill reads one of the skills that were ready when it was declared.
type readSkill struct {
	source *Source
	ready  []Skill
}

func (t readSkill) Spec() loop.Spec {
	var b strings.Builder
	b.WriteString("Read one of the user's skills, which say how to do tasks of a kind, before you do such a task. The skills:\n")
	for _, s := range t.ready {
		b.WriteString("- " + s.Name + ": " + plain.Line(s.Description) + "\n")
	}
	return loop.Spec{Name: ToolName, Description: b.String(), Parameters: json.RawMessage(parameters)}
}

func (readSkill) ReadOnly() bool { return true }

// Foreign reports that others may have written a skill. Its user has approved it, so it
// is no text from outside, and the model is to follow it; yet what it would have
// remembered or searched for is asked for.
func (readSkill) Foreign() bool { return true }

// SourceOf names the skill.
func (readSkill) SourceOf(args json.RawMessage) string { return "the skill " + nameIn(args) }

// nameIn returns the name in a call's arguments; "" where there is none.
func nameIn(args json.RawMessage) string {
	var a struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(args, &a) // what is no name is none
	return a.Name
}

// Fences reports that the output says itself what it is.
func (readSkill) Fences() {}

// refusal says why a skill cannot be read by what is known of it; "" where it can.
func (t readSkill) refusal(name string) string {
	switch {
	case name == "":
		return "the argument name is missing; it is the name of a skill"
	case !slices.ContainsFunc(t.ready, func(s Skill) bool { return s.Name == name }):
		return "there is no such skill that the user has approved as it is"
	}
	return ""
}

// Judge lets what was approved be read.
func (t readSkill) Judge(args json.RawMessage, _ tools.Env) tools.Verdict {
	if why := t.refusal(nameIn(args)); why != "" {
		return tools.Verdict{Kind: tools.VerdictDeny, Reason: why}
	}
	return tools.Verdict{Kind: tools.VerdictRun}
}

// Run reads the skill anew: what is read is what was approved, or nothing.
func (t readSkill) Run(ctx context.Context, args json.RawMessage, env tools.Env) (string, error) {
	name := nameIn(args)
	if why := t.refusal(name); why != "" {
		return "", toolError(why)
	}
	one, err := t.source.find(ctx, env.User, name)
	if err != nil {
		return "", err
	}
	if one.State != Ready {
		return "", toolError("the skill has changed since the user approved it, so it is not read; ask the user to look at it and approve it again")
	}
	return preface + name + "/.\n\n" + one.text, nil
}

// MaxOutput is room for the largest page.
func (readSkill) MaxOutput() int { return maxPage + 4<<10 }

type toolError string

func (e toolError) Error() string { return string(e) }
