// Package skills reads what a user has written down for tasks of a kind: a folder of
// the workspace with a SKILL.md, which the model may read once the user has approved
// it.
//
// Owns: the form of a skill, its hash, what was approved of it, the tool skill_read.
// Touches: the folder skills/ of a user's workspace, and u/{user}/config/skills.json
// and u/{user}/config/skills-approved/.
// Never: shows a model anything of a skill that is not as it was approved, or lets a
// skill's text permit anything.
package skills
