package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// history reads the first chat back from the journal.
func history(ctx context.Context, v *visit) error {
	var h client.History
	if err := v.user.Want(ctx, http.StatusOK, http.MethodGet, "/api/history/"+v.said.session, nil, &h); err != nil {
		return err
	}
	var roles []string
	for _, m := range h.Messages {
		roles = append(roles, m.Role)
	}
	switch {
	case !slices.Equal(roles, []string{"user", "assistant"}):
		return unlike("one message and its answer", "the roles %q", roles)
	case h.Messages[0].Content != v.said.message || h.Messages[1].Content != v.said.answer || h.Messages[1].RunID != v.said.runID:
		return unlike("the very words that were sent and answered", "others")
	}
	return nil
}

// list finds the first chat among the user's sessions.
func list(ctx context.Context, v *visit) error {
	found, err := v.found(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(found, v.said.session) {
		return unlike("the session of the chat over JSON among those that hold its words", "%d others", len(found))
	}
	return nil
}

// found are the ids of the sessions in which this visit's nonce stands.
func (v *visit) found(ctx context.Context) ([]string, error) {
	var page struct{ Sessions []struct{ ID string } }
	err := v.user.Want(ctx, http.StatusOK, http.MethodGet, "/api/sessions?limit=100&q="+url.QueryEscape(idPrefix(v.nonce)), nil, &page)
	var ids []string
	for _, s := range page.Sessions {
		ids = append(ids, s.ID)
	}
	return ids, err
}

// idempotency sends one message twice, then another one under its key.
func idempotency(ctx context.Context, v *visit) error {
	session := v.session("key")
	path, key := client.SessionPath(session, "/runs"), client.Header{Name: "Idempotency-Key", Value: idPrefix(v.nonce)}
	var first, second struct{ RunID string }
	for _, run := range []*struct{ RunID string }{&first, &second} {
		if err := v.user.Want(ctx, http.StatusAccepted, http.MethodPost, path, map[string]string{"message": v.greeting()}, run, key); err != nil {
			return err
		}
	}
	if first.RunID == "" || first != second {
		return unlike("the same run for the same message and key", "another one")
	}
	other := client.Expectation{
		Method: http.MethodPost, Path: path, Body: map[string]string{"message": "another"}, Headers: []client.Header{key},
		Status: http.StatusUnprocessableEntity, Code: "idempotency_mismatch",
	}
	return other.Ask(ctx, v.user)
}

// memory saves an item, finds it and forgets it.
func memory(ctx context.Context, v *visit) error {
	type item struct{ ID, Content string }
	var saved item
	if err := v.user.Want(ctx, http.StatusCreated, http.MethodPost, "/api/memory", map[string]string{"content": "smoke " + v.nonce, "type": "fact"}, &saved); err != nil {
		return err
	}
	v.notes = append(v.notes, saved.ID)
	var found struct{ Results []item }
	search := "/api/memory/search?limit=20&keyword=" + v.nonce
	if err := v.user.Want(ctx, http.StatusOK, http.MethodGet, search, nil, &found); err != nil {
		return err
	}
	if !slices.Contains(found.Results, saved) {
		return unlike("what was saved among what is found", "%d others", len(found.Results))
	}
	if err := v.user.Want(ctx, http.StatusOK, http.MethodDelete, "/api/memory/"+saved.ID, nil, nil); err != nil {
		return err
	}
	if err := v.user.Want(ctx, http.StatusOK, http.MethodGet, search, nil, &found); err != nil {
		return err
	}
	if slices.Contains(found.Results, saved) {
		return unlike("nothing after it was forgotten", "it is still found")
	}
	return nil
}

// file writes a file, reads it back and deletes it.
func file(ctx context.Context, v *visit) error {
	const text = "smoke: é 龙 🐻"
	name := idPrefix(v.nonce) + ".txt"
	v.files = append(v.files, name)
	path := "/api/files/" + name
	if err := v.user.Want(ctx, http.StatusOK, http.MethodPut, path, text, nil); err != nil {
		return err
	}
	a, err := v.user.Do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK || string(a.Body) != text {
		return unlike("the bytes that were written", "%s", a.Brief())
	}
	if err := v.user.Want(ctx, http.StatusOK, http.MethodDelete, path, nil, nil); err != nil {
		return err
	}
	return client.Expectation{Path: path, Status: http.StatusNotFound, Code: "not_found"}.Ask(ctx, v.user)
}
