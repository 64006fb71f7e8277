package session

import (
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// attachments are files as clients are told of them.
func attachments(all []Attached) []chat.Attachment {
	if len(all) == 0 {
		return nil
	}
	out := make([]chat.Attachment, len(all))
	for i := range all {
		out[i] = all[i].Attachment
	}
	return out
}

// shownOf are files as the model is shown them; what is shown is loaded by whoever
// has the store.
func shownOf(all []Attached) []loop.Attached {
	if len(all) == 0 {
		return nil
	}
	out := make([]loop.Attached, len(all))
	for i := range all {
		out[i] = all[i].Shown()
	}
	return out
}

// Shown is a file as the model is shown it, without its bytes.
func (a *Attached) Shown() loop.Attached {
	out := loop.Attached{Name: a.Name, MediaType: a.MediaType, Problem: a.Error}
	if v := a.View; v != nil && a.Error == "" {
		out.Shown = loop.Shown{Hash: v.SHA256, MediaType: v.MediaType, Size: v.Size, Width: v.Width, Height: v.Height, Whole: v.Whole}
	} else if out.Problem == "" {
		out.Problem = "nothing is known of it"
	}
	return out
}

// AttachedIn returns the hashes of all that a record's message keeps beside the
// journal.
func AttachedIn(r record.Record) []string {
	if r.Type != recMessage || r.Newer() {
		return nil
	}
	var b messageBody
	if json.Unmarshal(r.Body, &b) != nil {
		return nil
	}
	var hashes []string
	for _, a := range b.Attached {
		hashes = union(hashes, a.SHA256)
		if a.View != nil {
			hashes = union(hashes, a.View.SHA256)
		}
	}
	return hashes
}

// union adds what a list does not hold yet.
func union(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
