//! Every route that is known, with the data action it needs. Known is more than served: what is not served is still decided, so
//! that its existence is no news to a caller without rights.

/// Which of Azure's two interfaces a route belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `?api-version=2024-10-21`, the deployment in the path for inference.
    Dated,
    /// `/openai/v1`, the deployment in the body's `model`.
    V1,
    /// Azure AI's model inference: the deployment in the body's `model`, any `api-version` or none. Not served yet.
    Inference,
}

/// The form of a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Chat,
    Completions,
    Embeddings,
    Responses,
    Speech,
    Images,
    Transcriptions,
    Translations,
    ImageEdits,
}

impl Shape {
    /// Whether the request is a multipart form: it carries a file.
    pub(crate) const fn is_form(self) -> bool {
        matches!(self, Self::Transcriptions | Self::Translations | Self::ImageEdits)
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serve {
    /// A model server.
    Model(Shape),
    /// The gateway itself, from the directory.
    ModelList,
    ModelItem,
    /// Nobody: an honest refusal after the decision.
    Nobody,
}

/// One operation of the data plane.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// As Azure's refusals spell it.
    pub(crate) template: &'static str,
    /// Azure Monitor's name of the operation.
    pub(crate) api: &'static str,
    /// The data action in full; empty for [`UNKNOWN`] alone.
    pub(crate) action: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) serve: Serve,
}

/// A path that is in no table.
pub(crate) static UNKNOWN: Operation =
    Operation { method: "", template: "", api: "Unknown", action: "", dialect: Dialect::V1, serve: Serve::Nobody };

macro_rules! operations {
    ($($dialect:ident $method:literal $template:literal $api:literal $action:literal $serve:expr;)*) => {
        /// In the order in which they are tried: the busiest first.
        pub(super) static OPERATIONS: &[Operation] = &[$(Operation {
            method: $method,
            template: $template,
            api: $api,
            action: concat!("Microsoft.CognitiveServices/accounts/OpenAI/", $action),
            dialect: Dialect::$dialect,
            serve: $serve,
        }),*];
    };
}

use Serve::{Model, ModelItem, ModelList, Nobody};
use Shape::{Chat, Completions, Embeddings, ImageEdits, Images, Responses, Speech, Transcriptions, Translations};

operations! {
    Dated "POST" "/openai/deployments/{deployment-id}/chat/completions" "ChatCompletions_Create" "deployments/chat/completions/action" Model(Chat);
    Dated "POST" "/openai/deployments/{deployment-id}/embeddings" "Embeddings_Create" "deployments/embeddings/action" Model(Embeddings);
    V1 "POST" "/openai/v1/chat/completions" "ChatCompletions_Create" "deployments/chat/completions/action" Model(Chat);
    V1 "POST" "/openai/v1/embeddings" "Embeddings_Create" "deployments/embeddings/action" Model(Embeddings);
    V1 "POST" "/openai/v1/responses" "Responses_Create" "responses/write" Model(Responses);
    Dated "POST" "/openai/responses" "Responses_Create" "responses/write" Model(Responses);
    Dated "POST" "/openai/deployments/{deployment-id}/completions" "Completions_Create" "deployments/completions/action" Model(Completions);
    V1 "POST" "/openai/v1/completions" "Completions_Create" "deployments/completions/action" Model(Completions);
    Dated "POST" "/openai/deployments/{deployment-id}/audio/speech" "Speech_Create" "deployments/audio/action" Model(Speech);
    V1 "POST" "/openai/v1/audio/speech" "Speech_Create" "deployments/audio/action" Model(Speech);
    Dated "POST" "/openai/deployments/{deployment-id}/images/generations" "ImageGenerations_Create" "images/generations/action" Model(Images);
    V1 "POST" "/openai/v1/images/generations" "ImageGenerations_Create" "images/generations/action" Model(Images);
    Dated "GET" "/openai/models" "Models_List" "models/read" ModelList;
    Dated "GET" "/openai/models/{model-id}" "Models_Get" "models/read" ModelItem;
    V1 "GET" "/openai/v1/models" "Models_List" "models/read" ModelList;
    V1 "GET" "/openai/v1/models/{model-id}" "Models_Get" "models/read" ModelItem;
    Dated "POST" "/openai/deployments/{deployment-id}/audio/transcriptions" "Transcriptions_Create" "deployments/audio/action" Model(Transcriptions);
    V1 "POST" "/openai/v1/audio/transcriptions" "Transcriptions_Create" "deployments/audio/action" Model(Transcriptions);
    Dated "POST" "/openai/deployments/{deployment-id}/audio/translations" "Translations_Create" "deployments/audio/action" Model(Translations);
    V1 "POST" "/openai/v1/audio/translations" "Translations_Create" "deployments/audio/action" Model(Translations);
    Dated "POST" "/openai/deployments/{deployment-id}/images/edits" "ImageEdits_Create" "images/generations/action" Model(ImageEdits);
    V1 "POST" "/openai/v1/images/edits" "ImageEdits_Create" "images/generations/action" Model(ImageEdits);
    Dated "POST" "/openai/deployments/{deployment-id}/extensions/chat/completions" "ExtensionsChatCompletions_Create" "deployments/extensions/chat/completions/action" Nobody;
    Inference "POST" "/models/chat/completions" "ModelInference_ChatCompletions" "deployments/chat/completions/action" Nobody;
    Inference "POST" "/models/embeddings" "ModelInference_Embeddings" "deployments/embeddings/action" Nobody;
    Inference "POST" "/models/images/embeddings" "ModelInference_ImageEmbeddings" "deployments/embeddings/action" Nobody;
    Inference "GET" "/models/info" "ModelInference_Info" "models/read" Nobody;
    Dated "GET" "/openai/realtime" "Realtime_Connect" "deployments/realtime/action" Nobody;
    V1 "GET" "/openai/v1/realtime" "Realtime_Connect" "deployments/realtime/action" Nobody;
    // A stored answer belongs to whoever asked; the model server does not know who that was, and would give it to anyone.
    Dated "GET" "/openai/responses/{response-id}" "Responses_Get" "responses/read" Nobody;
    Dated "DELETE" "/openai/responses/{response-id}" "Responses_Delete" "responses/delete" Nobody;
    V1 "GET" "/openai/v1/responses/{response-id}" "Responses_Get" "responses/read" Nobody;
    V1 "DELETE" "/openai/v1/responses/{response-id}" "Responses_Delete" "responses/delete" Nobody;
    V1 "GET" "/openai/v1/chat/completions" "StoredCompletions_List" "stored-completions/read" Nobody;
    V1 "GET" "/openai/v1/chat/completions/{completion-id}" "StoredCompletions_Get" "stored-completions/read" Nobody;
    Dated "GET" "/openai/files" "Files_List" "files/read" Nobody;
    Dated "POST" "/openai/files" "Files_Upload" "files/write" Nobody;
    Dated "GET" "/openai/files/{file-id}" "Files_Get" "files/read" Nobody;
    Dated "GET" "/openai/files/{file-id}/content" "Files_GetContent" "files/read" Nobody;
    Dated "DELETE" "/openai/files/{file-id}" "Files_Delete" "files/delete" Nobody;
    V1 "GET" "/openai/v1/files" "Files_List" "files/read" Nobody;
    V1 "POST" "/openai/v1/files" "Files_Upload" "files/write" Nobody;
    V1 "GET" "/openai/v1/files/{file-id}" "Files_Get" "files/read" Nobody;
    V1 "GET" "/openai/v1/files/{file-id}/content" "Files_GetContent" "files/read" Nobody;
    V1 "DELETE" "/openai/v1/files/{file-id}" "Files_Delete" "files/delete" Nobody;
    Dated "GET" "/openai/fine_tuning/jobs" "FineTuningJobs_List" "fine-tunes/read" Nobody;
    Dated "POST" "/openai/fine_tuning/jobs" "FineTuningJobs_Create" "fine-tunes/write" Nobody;
    Dated "GET" "/openai/fine_tuning/jobs/{job-id}" "FineTuningJobs_Get" "fine-tunes/read" Nobody;
    Dated "DELETE" "/openai/fine_tuning/jobs/{job-id}" "FineTuningJobs_Delete" "fine-tunes/delete" Nobody;
    V1 "GET" "/openai/v1/fine_tuning/jobs" "FineTuningJobs_List" "fine-tunes/read" Nobody;
    V1 "POST" "/openai/v1/fine_tuning/jobs" "FineTuningJobs_Create" "fine-tunes/write" Nobody;
    V1 "GET" "/openai/v1/fine_tuning/jobs/{job-id}" "FineTuningJobs_Get" "fine-tunes/read" Nobody;
    Dated "GET" "/openai/assistants" "Assistants_List" "assistants/read" Nobody;
    Dated "POST" "/openai/assistants" "Assistants_Create" "assistants/write" Nobody;
    Dated "GET" "/openai/assistants/{assistant-id}" "Assistants_Get" "assistants/read" Nobody;
    Dated "POST" "/openai/assistants/{assistant-id}" "Assistants_Update" "assistants/write" Nobody;
    Dated "DELETE" "/openai/assistants/{assistant-id}" "Assistants_Delete" "assistants/delete" Nobody;
    Dated "POST" "/openai/threads" "Threads_Create" "assistants/threads/write" Nobody;
    Dated "GET" "/openai/threads/{thread-id}" "Threads_Get" "assistants/threads/read" Nobody;
    Dated "DELETE" "/openai/threads/{thread-id}" "Threads_Delete" "assistants/threads/delete" Nobody;
    Dated "GET" "/openai/threads/{thread-id}/messages" "Messages_List" "assistants/threads/messages/read" Nobody;
    Dated "POST" "/openai/threads/{thread-id}/messages" "Messages_Create" "assistants/threads/messages/write" Nobody;
    Dated "GET" "/openai/threads/{thread-id}/runs" "Runs_List" "assistants/threads/runs/read" Nobody;
    Dated "POST" "/openai/threads/{thread-id}/runs" "Runs_Create" "assistants/threads/runs/write" Nobody;
}
