//! Requirements to a plan.
