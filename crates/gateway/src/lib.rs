//! The Azure OpenAI data plane: authenticate, decide, admit, forward, settle, audit.
