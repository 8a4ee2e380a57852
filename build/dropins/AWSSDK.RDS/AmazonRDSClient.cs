using Amazon.RDS.Internal;
using Amazon.RDS.Model;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace Amazon.RDS;

/// <summary>A client of the service on the real AWSSDK.Core: credentials, signatures, retries and endpoints are the SDK's.</summary>
public partial class AmazonRDSClient : AmazonServiceClient, IAmazonRDS
{
    private static readonly AmazonRDSMetadata Metadata = new();

    /// <summary>With everything from the SDK's own sources.</summary>
    public AmazonRDSClient()
        : base(new AmazonRDSConfig())
    {
    }

    /// <summary>In a region.</summary>
    public AmazonRDSClient(RegionEndpoint region)
        : base(new AmazonRDSConfig { RegionEndpoint = region })
    {
    }

    /// <summary>With a configuration, and credentials from the SDK's own chain.</summary>
    public AmazonRDSClient(AmazonRDSConfig config)
        : base(config)
    {
    }

    /// <summary>With credentials.</summary>
    public AmazonRDSClient(AWSCredentials credentials)
        : this(credentials, new AmazonRDSConfig())
    {
    }

    /// <summary>With credentials, in a region.</summary>
    public AmazonRDSClient(AWSCredentials credentials, RegionEndpoint region)
        : this(credentials, new AmazonRDSConfig { RegionEndpoint = region })
    {
    }

    /// <summary>With credentials and a configuration.</summary>
    public AmazonRDSClient(AWSCredentials credentials, AmazonRDSConfig clientConfig)
        : base(credentials, clientConfig)
    {
    }

    /// <inheritdoc/>
    protected override IServiceMetadata ServiceMetadata => Metadata;

    /// <inheritdoc/>
    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new AmazonRDSEndpointResolver());
        pipeline.AddHandlerAfter<Marshaller>(new AmazonRDSAuthSchemeHandler());
    }

    /// <inheritdoc/>
    public virtual Task<AddTagsToResourceResponse> AddTagsToResourceAsync(AddTagsToResourceRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<AddTagsToResourceResponse>(request, (_, _) => { }, cancellationToken);

    /// <inheritdoc/>
    public virtual Task<CreateDBClusterSnapshotResponse> CreateDBClusterSnapshotAsync(CreateDBClusterSnapshotRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<CreateDBClusterSnapshotResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<CreateDBSnapshotResponse> CreateDBSnapshotAsync(CreateDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<CreateDBSnapshotResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DeleteDBClusterSnapshotResponse> DeleteDBClusterSnapshotAsync(DeleteDBClusterSnapshotRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DeleteDBClusterSnapshotResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DeleteDBSnapshotResponse> DeleteDBSnapshotAsync(DeleteDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DeleteDBSnapshotResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DescribeAccountAttributesResponse> DescribeAccountAttributesAsync(DescribeAccountAttributesRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DescribeAccountAttributesResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DescribeDBClusterSnapshotsResponse> DescribeDBClusterSnapshotsAsync(DescribeDBClusterSnapshotsRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DescribeDBClusterSnapshotsResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DescribeDBClustersResponse> DescribeDBClustersAsync(DescribeDBClustersRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DescribeDBClustersResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DescribeDBInstancesResponse> DescribeDBInstancesAsync(DescribeDBInstancesRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DescribeDBInstancesResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<DescribeDBSnapshotsResponse> DescribeDBSnapshotsAsync(DescribeDBSnapshotsRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<DescribeDBSnapshotsResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<ModifyDBInstanceResponse> ModifyDBInstanceAsync(ModifyDBInstanceRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<ModifyDBInstanceResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    /// <inheritdoc/>
    public virtual Task<RestoreDBInstanceFromDBSnapshotResponse> RestoreDBInstanceFromDBSnapshotAsync(RestoreDBInstanceFromDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        AskAsync<RestoreDBInstanceFromDBSnapshotResponse>(request, (response, xml) => response.Read(xml), cancellationToken);

    private Task<TResponse> AskAsync<TResponse>(AmazonRDSRequest request, Action<TResponse, System.Xml.Linq.XElement> read, CancellationToken cancellation)
        where TResponse : AmazonWebServiceResponse, new() =>
        InvokeAsync<TResponse>(request, new InvokeOptions { RequestMarshaller = QueryMarshaller.Instance, ResponseUnmarshaller = new QueryUnmarshaller<TResponse>(read) }, cancellation);
}
